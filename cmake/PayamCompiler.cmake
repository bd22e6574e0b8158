# Compiler settings every target shares, through the interface target payam_options.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_library(payam_options INTERFACE)
target_include_directories(payam_options INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(payam_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(payam_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp" -Wthread-safety)
endif()

set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong")
# Compiling the tests costs more than running them: unoptimised they are built in 0.4 of the time. A fuzzer that runs for long is optimised.
set(PAYAM_DEBUG_OPTIMIZE "-O0" CACHE STRING "How much a debug build is optimised")
set(CMAKE_CXX_FLAGS_DEBUG "${PAYAM_DEBUG_OPTIMIZE} -g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS")
add_compile_options(-fPIC)  # the same for libraries and programs, so that they share a precompiled header
add_link_options(-pie)
add_link_options(-fuse-ld=lld-19)

if(PAYAM_SANITIZE)
  add_compile_options(-fsanitize=${PAYAM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PAYAM_SANITIZE})
endif()
