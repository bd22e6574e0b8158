// Servers that listen by themselves, on a loop of the application's or on threads of their own; clients speak over loopback.
#include <gmock/gmock.h>

#include <boost/asio/connect.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <functional>
#include <thread>

#include "http/message.hpp"
#include "payam/sio/server.hpp"

namespace payam::sio {
namespace {

namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using Response = beast_http::response<beast_http::string_body>;

constexpr const char* kOpen = "/socket.io/?EIO=4&transport=polling";

// One request on a connection of its own; in the test's thread.
Response call(std::uint16_t port, beast_http::verb method, const std::string& target, const std::string& body = "",
              bool gzip = false) {
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  beast_http::request<beast_http::string_body> request(method, target, 11);
  request.set(beast_http::field::host, "x");
  if (gzip) request.set(beast_http::field::accept_encoding, "gzip");
  request.body() = body;
  request.prepare_payload();
  beast_http::write(socket, request);
  boost::beast::flat_buffer buffer;
  Response response;
  beast_http::read(socket, buffer, response);
  return response;
}

// 0{"sid":"…",…}
std::string session_of(const Response& open) {
  const std::size_t begin = std::string_view(R"(0{"sid":")").size();
  return std::string(kOpen) + "&sid=" + open.body().substr(begin, open.body().find('"', begin) - begin);
}

TEST(Listen, OnTheApplicationsLoop) {
  asio::io_context context(1);
  Server io(context, {});
  std::thread::id handler_thread;
  io.on_event("echo", [&](SocketPtr, std::string text) {
    handler_thread = std::this_thread::get_id();
    return text;
  });
  const std::uint16_t port = io.listen("127.0.0.1", 0);
  EXPECT_NE(port, 0);
  std::thread loop([&] { context.run(); });
  const auto loop_thread = loop.get_id();

  const std::string session = session_of(call(port, beast_http::verb::get, kOpen));
  EXPECT_EQ(call(port, beast_http::verb::post, session,
                 "40\x1e"
                 "420[\"echo\",\"salaam\"]")
                .body(),
            "ok");
  EXPECT_THAT(call(port, beast_http::verb::get, session).body(), ::testing::EndsWith("430[\"salaam\"]"));
  EXPECT_EQ(handler_thread, loop_thread);

  io.close();
  EXPECT_TRUE(io.wait(Millis(5'000)));
  context.stop();
  loop.join();
  EXPECT_EQ(io.counters().connections_open, 0u);
}

TEST(Listen, OnThreadsOfItsOwnUntilItEnds) {
  std::uint16_t port = 0;
  {
    Options options;
    options.threads = 2;
    Server io(std::move(options));
    port = io.listen("127.0.0.1", 0);
    EXPECT_EQ(call(port, beast_http::verb::get, kOpen).result_int(), 200u);
    EXPECT_THROW(io.listen("127.0.0.1", port), std::exception) << "the address is taken";
  }
  EXPECT_THROW(call(port, beast_http::verb::get, kOpen), boost::system::system_error);
}

TEST(Listen, ACertificateThatIsNotThereIsAnError) {
  Server io;
  EXPECT_THROW(io.listen("127.0.0.1", 0, Tls{"/nowhere/certificate.pem", "/nowhere/key.pem"}), std::exception);
}

TEST(Listen, TheApplicationMayRefuseTheRequest) {
  Options options;
  options.allow_request = [](const http::Request& request) -> std::optional<std::string> {
    if (request.query.find("key") == "right") return std::nullopt;
    return request.query.find("key") ? "wrong key" : "";
  };
  Server io(std::move(options));
  const std::uint16_t port = io.listen("127.0.0.1", 0);
  const std::string target = kOpen;
  const Response none = call(port, beast_http::verb::get, target);
  EXPECT_EQ(none.result_int(), 403u);
  EXPECT_EQ(none.body(), R"({"code":4,"message":"Forbidden"})");
  EXPECT_EQ(call(port, beast_http::verb::get, target + "&key=x").body(), R"({"code":4,"message":"wrong key"})");
  EXPECT_EQ(call(port, beast_http::verb::get, target + "&key=right").result_int(), 200u);
}

TEST(Listen, ThePathAndTheBufferSizeAreOptions) {
  Options options;
  options.path = "/chat/";
  options.max_http_buffer_size = 100;
  Server io(std::move(options));
  const std::uint16_t port = io.listen("127.0.0.1", 0);
  EXPECT_EQ(call(port, beast_http::verb::get, kOpen).result_int(), 404u);
  std::string target = "/chat/?EIO=4&transport=polling";
  const Response open = call(port, beast_http::verb::get, target);
  EXPECT_THAT(open.body(), ::testing::HasSubstr(R"("maxPayload":100)"));
  const std::string session = session_of(open).replace(0, std::string_view(kOpen).size(), target);
  EXPECT_EQ(call(port, beast_http::verb::post, session, std::string(101, 'x')).result_int(), 413u);
  EXPECT_EQ(call(port, beast_http::verb::post, session, "40").result_int(), 200u) << "the session lives";
}

TEST(Listen, MorePathsMayBeServed) {
  Options options;
  options.extra_paths = {"/ws/socket.io/"};
  Server io(std::move(options));
  io.on_connection([](SocketPtr socket) { socket->emit("welcome"); });
  const std::uint16_t port = io.listen("127.0.0.1", 0);
  EXPECT_EQ(call(port, beast_http::verb::get, kOpen).result_int(), 200u);
  std::string target = "/ws/socket.io/?EIO=4&transport=polling";
  const Response open = call(port, beast_http::verb::get, target);
  const std::string session = session_of(open).replace(0, std::string_view(kOpen).size(), target);
  EXPECT_EQ(call(port, beast_http::verb::post, session, "40").result_int(), 200u);
  EXPECT_THAT(call(port, beast_http::verb::get, session).body(), ::testing::HasSubstr("welcome"));
  EXPECT_TRUE(io.handles("/ws/socket.io/?EIO=4"));
  EXPECT_FALSE(io.handles("/ws/"));
}

TEST(Listen, LargeAnswersToPollsAreCompressedForWhoAsks) {
  Server io;
  io.on_connection([](SocketPtr socket) { socket->emit("large", std::string(20'000, 'x')); });
  const std::uint16_t port = io.listen("127.0.0.1", 0);
  for (const bool gzip : {true, false}) {
    const Response open = call(port, beast_http::verb::get, kOpen, "", gzip);
    EXPECT_EQ(open.count(beast_http::field::content_encoding), 0u) << "small";
    const std::string session = session_of(open);
    call(port, beast_http::verb::post, session, "40");
    const Response packets = call(port, beast_http::verb::get, session, "", gzip);
    if (gzip) {
      EXPECT_EQ(packets[beast_http::field::content_encoding], "gzip");
      EXPECT_LT(packets.body().size(), 1'000u);
    } else {
      EXPECT_EQ(packets.count(beast_http::field::content_encoding), 0u);
      EXPECT_GT(packets.body().size(), 20'000u);
    }
  }
}

}  // namespace
}  // namespace payam::sio
