// A server of the application's own, made with Boost.Beast, on the application's own loop; clients speak over loopback.
#include "payam/sio/beast.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace payam::sio {
namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using TcpAcceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Request = beast_http::request<beast_http::string_body>;
using Response = beast_http::response<beast_http::string_body>;

// 0{"sid":"…",…}
std::string sid_of(const Response& open) {
  const std::size_t begin = std::string_view(R"(0{"sid":")").size();
  return open.body().substr(begin, open.body().find('"', begin) - begin);
}

class BeastTest : public ::testing::Test {
 public:  // the clients are no members
  BeastTest() : io(context, {}), acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    io.on_event("echo", [](SocketPtr, std::string text) { return text; });
    io.on_disconnect([this](const SocketPtr&, DisconnectReason reason) { ended.emplace_back(to_string(reason)); });
    spawn(accept());
  }
  ~BeastTest() override {
    acceptor.close();
    io.close();
    run_until([this] { return io.counters().connections_open == 0; });
    context.poll();
  }

  void spawn(Task<> task) {
    asio::co_spawn(context, std::move(task), [](std::exception_ptr error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const boost::system::system_error&) {  // a peer has gone
      }
    });
  }
  Task<> accept() {
    for (;;) {
      TcpSocket socket(context);
      co_await acceptor.async_accept(socket, use_task);
      spawn(session(std::move(socket)));
    }
  }
  // The application's own server.
  Task<> session(TcpSocket socket) {
    beast::flat_buffer buffer;
    for (;;) {
      Request request;
      co_await beast_http::async_read(socket, buffer, request, use_task);
      if (io.handles(std::string_view(request.target()))) {
        const bool goes_on = co_await serve(io, socket, buffer, std::move(request));
        if (!goes_on) co_return;
      } else {
        Response response(beast_http::status::ok, 11);
        response.body() = "the application's own";
        response.prepare_payload();
        co_await beast_http::async_write(socket, response, use_task);
      }
    }
  }

  bool run_until(const std::function<bool()>& holds) {
    const auto limit = steady_now() + std::chrono::seconds(5);
    while (!holds() && steady_now() < limit) {
      context.restart();
      context.run_for(std::chrono::milliseconds(5));
    }
    return holds();
  }
  void run(Task<> client) {
    bool done = false;
    asio::co_spawn(context, std::move(client), [&](std::exception_ptr error) {
      done = true;
      if (error) std::rethrow_exception(error);
    });
    EXPECT_TRUE(run_until([&] { return done; }));
  }
  // Another request on the same connection.
  static Task<Response> call(TcpSocket& socket, beast_http::verb method, std::string target, std::string body = "") {
    Request request(method, target, 11);
    request.set(beast_http::field::host, "x");
    request.body() = std::move(body);
    request.prepare_payload();
    co_await beast_http::async_write(socket, request, use_task);
    beast::flat_buffer buffer;
    Response response;
    co_await beast_http::async_read(socket, buffer, response, use_task);
    co_return response;
  }

  asio::io_context context;
  Server io;
  TcpAcceptor acceptor;
  std::vector<std::string> ended;
};

TEST_F(BeastTest, PollingSharesAConnectionWithTheApplicationsRoutes) {
  auto client = [](BeastTest& test) -> Task<> {
    TcpSocket socket(test.context);
    co_await socket.async_connect(test.acceptor.local_endpoint(), use_task);
    const Response own = co_await call(socket, beast_http::verb::get, "/index");
    EXPECT_EQ(own.body(), "the application's own");
    const std::string path = "/socket.io/?EIO=4&transport=polling";
    const Response open = co_await call(socket, beast_http::verb::get, path);
    const std::string session = path + "&sid=" + sid_of(open);
    const Response ok = co_await call(socket, beast_http::verb::post, session,
                                      "40\x1e"
                                      "421[\"echo\",\"hi\"]");
    EXPECT_EQ(ok.body(), "ok");
    const Response packets = co_await call(socket, beast_http::verb::get, session);
    EXPECT_THAT(packets.body(), ::testing::EndsWith("\x1e"
                                                    "431[\"hi\"]"));
    const Response unknown = co_await call(socket, beast_http::verb::get, path + "&sid=unknown");
    EXPECT_EQ(unknown.result_int(), 400u);
    const Response large = co_await call(socket, beast_http::verb::post, session, std::string(1'000'001, 'x'));
    EXPECT_EQ(large.result_int(), 413u);
  };
  run(client(*this));
}

TEST_F(BeastTest, AWebsocketIsTakenOver) {
  auto client = [](BeastTest& test) -> Task<> {
    beast::websocket::stream<TcpSocket> socket(test.context);
    co_await socket.next_layer().async_connect(test.acceptor.local_endpoint(), use_task);
    co_await socket.async_handshake("x", "/socket.io/?EIO=4&transport=websocket", use_task);
    for (const std::string packet : {"40", "427[\"echo\",\"سلام\"]"}) {
      co_await socket.async_write(asio::buffer(packet), use_task);
    }
    std::vector<std::string> received;
    for (int i = 0; i < 3; ++i) {
      beast::flat_buffer buffer;
      co_await socket.async_read(buffer, use_task);
      received.push_back(beast::buffers_to_string(buffer.data()));
    }
    EXPECT_THAT(received[0], ::testing::StartsWith("0{"));
    EXPECT_THAT(received[1], ::testing::StartsWith("40{"));
    EXPECT_EQ(received[2], "437[\"سلام\"]");
  };
  run(client(*this));
  EXPECT_TRUE(run_until([this] { return !ended.empty(); }));
  EXPECT_THAT(ended, ::testing::ElementsAre("transport close"));
}

TEST_F(BeastTest, APollThatIsAbandonedEndsItsSession) {
  auto client = [](BeastTest& test) -> Task<> {
    TcpSocket socket(test.context);
    co_await socket.async_connect(test.acceptor.local_endpoint(), use_task);
    const std::string path = "/socket.io/?EIO=4&transport=polling";
    const Response open = co_await call(socket, beast_http::verb::get, path);
    const std::string session = path + "&sid=" + sid_of(open);
    co_await call(socket, beast_http::verb::post, session, "40");
    co_await call(socket, beast_http::verb::get, session);
    Request poll(beast_http::verb::get, session, 11);
    poll.set(beast_http::field::host, "x");
    co_await beast_http::async_write(socket, poll, use_task);
  };
  run(client(*this));  // its socket closes with it
  EXPECT_TRUE(run_until([this] { return !ended.empty(); }));
  EXPECT_THAT(ended, ::testing::ElementsAre("transport error"));
}

}  // namespace
}  // namespace payam::sio
