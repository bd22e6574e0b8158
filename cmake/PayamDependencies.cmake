# Every outside library in one place; all are Debian 12 packages (tools/dependencies.txt), licences in CONTRIBUTING.md.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ICU 72 REQUIRED COMPONENTS uc i18n)
find_package(mongoc-1.0 1.23 REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_library(CRYPT_LIBRARY crypt REQUIRED)
find_library(MAGIC_LIBRARY magic REQUIRED)
if(PAYAM_TESTS)
  find_package(GTest REQUIRED)
endif()

# Asio is compiled once, in runtime/asio.cpp; Beast's HTTP parser only where http/server uses it.
add_library(payam_boost INTERFACE)
target_link_libraries(payam_boost INTERFACE Boost::headers Boost::json Boost::url Threads::Threads)
target_compile_definitions(payam_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_DISABLE_BOOST_ARRAY BOOST_ASIO_DISABLE_BOOST_BIND)
