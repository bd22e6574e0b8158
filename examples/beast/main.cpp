// Socket.IO inside an HTTP server of one's own: Boost.Beast accepts and parses, the loop is the application's, and one thread
// does everything.
//
//   build/release/sio-beast 3000
//
//   const socket = io("http://127.0.0.1:3000");                   // npm's socket.io-client
//   socket.emit("say", "salaam");                                 // everyone gets "said"
//   await (await fetch("http://127.0.0.1:3000/said")).text();     // "1", by the application's own route
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "payam/sio/beast.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace sio = payam::sio;
using asio::ip::tcp;
using payam::Task;
using payam::TcpSocket;
using payam::use_task;

struct Application {
  asio::io_context context{1};
  sio::Server io{context, {}};  // on our loop
  int said = 0;
};

// One connection: our routes and Socket.IO's, in turn.
Task<> serve(Application& application, TcpSocket socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(sio::Options{}.max_http_buffer_size);
    co_await http::async_read(socket, buffer, parser, use_task);
    auto request = parser.release();
    bool goes_on = request.keep_alive();
    if (application.io.handles(std::string_view(request.target()))) {
      goes_on = co_await sio::serve(application.io, socket, buffer, std::move(request));
    } else {
      const bool found = request.target() == "/said";
      http::response<http::string_body> response(found ? http::status::ok : http::status::not_found, request.version());
      response.body() = found ? std::to_string(application.said) : "not found";
      response.keep_alive(goes_on);
      response.prepare_payload();
      co_await http::async_write(socket, response, use_task);
    }
    if (!goes_on) co_return;
  }
}

Task<> accept(Application& application, asio::basic_socket_acceptor<tcp, payam::Executor> acceptor) {
  for (;;) {
    TcpSocket socket = co_await acceptor.async_accept(use_task);
    auto ended = [](std::exception_ptr) {};  // the peer has gone
    asio::co_spawn(application.context, serve(application, std::move(socket)), ended);
  }
}

int main(int argc, char** argv) {
  Application application;
  application.io.on_event("say", [&application](sio::SocketPtr, std::string text) {
    ++application.said;
    application.io.emit("said", text);
  });

  const int wanted = argc > 1 ? std::atoi(argv[1]) : 3000;
  asio::basic_socket_acceptor<tcp, payam::Executor> acceptor(
      application.context, tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(wanted)));
  std::cout << "listening on 127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
  asio::co_spawn(application.context, accept(application, std::move(acceptor)), asio::detached);

  asio::signal_set signals(application.context, SIGINT, SIGTERM);
  signals.async_wait([&application](boost::system::error_code, int) { application.context.stop(); });
  application.context.run();

  // Tells everyone, and lets the news leave.
  application.io.close();
  application.context.restart();
  application.context.run_for(1s);
}
