// For an application with a Boost.Beast HTTP server: it accepts and parses, and hands over what is the Socket.IO server's.
//
//   asio::io_context context;
//   sio::Server io(context, {});
//   …
//   co_await beast::http::async_read(socket, buffer, request, use_task);
//   if (io.handles(request.target())) {
//     const bool goes_on = co_await sio::serve(io, socket, buffer, std::move(request));
//     if (!goes_on) co_return;  // a websocket now, or to be closed
//   } else {
//     // the application's own routes
//   }
//
// The socket is a plain TCP socket on the server's loop. Limit the request's body to Options::max_http_buffer_size.
#pragma once

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>
#include <string>
#include <utility>

#include "http/message.hpp"
#include "http/percent.hpp"
#include "payam/sio/server.hpp"
#include "runtime/stream.hpp"

namespace payam::sio {

namespace detail {

template <class Body, class Fields>
http::Request request_of(boost::beast::http::request<Body, Fields>& message, std::string peer) {
  http::Request request;
  request.method_name = std::string(message.method_string());
  request.method = http::parse_method(request.method_name);
  request.target = std::string(message.target());
  const std::size_t mark = request.target.find('?');
  request.path = http::percent_decode(std::string_view(request.target).substr(0, mark));
  if (mark != std::string::npos) request.query = http::Query::parse(std::string_view(request.target).substr(mark + 1));
  for (const auto& field : message) request.headers.add(std::string(field.name_string()), std::string(field.value()));
  request.body = std::move(message.body());
  request.peer = std::move(peer);
  return request;
}

// Tells a request, as long as this lives, when its peer hangs up.
template <class Socket>
class EndWatch {
 public:
  EndWatch(Socket& socket, http::Request& request) : socket_(socket), request_(std::make_shared<http::Request*>(&request)) {
    socket.async_wait(Socket::wait_read, [&socket, waiting = request_](boost::system::error_code error) {
      if (error || *waiting == nullptr) return;  // in the second case `socket` may be no more
      char byte;
      if (::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;  // the next request, early
      if (auto on_abort = std::exchange((*waiting)->on_abort, nullptr)) on_abort();
    });
  }
  ~EndWatch() {
    *request_ = nullptr;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

 private:
  Socket& socket_;
  const std::shared_ptr<http::Request*> request_;
};

template <class Socket>
Task<http::Response> answer(Server& io, Socket& socket, http::Request& request) {
  const EndWatch watch(socket, request);
  co_return co_await io.handle(request);
}

template <class Message>
void take_head(Message& message, http::Response& response, unsigned version) {
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers.all()) message.insert(name, value);
}

}  // namespace detail

// Answers one request. True: the connection may go on with its next request; false: it belongs to the server now (a websocket),
// or is to be closed. `buffer`: what was read beyond the request, as from async_read(). On the server's loop; `io`, `socket`
// and `buffer` outlive the task. Throws what Beast throws when the peer has gone.
template <class Socket, class Buffer, class Fields>
Task<bool> serve(Server& io, Socket& socket, Buffer& buffer,
                 boost::beast::http::request<boost::beast::http::string_body, Fields> message) {
  namespace beast_http = boost::beast::http;
  const unsigned version = message.version();
  const bool keep_alive = message.keep_alive();
  http::Request request = detail::request_of(message, socket.remote_endpoint().address().to_string());
  http::Response response = co_await detail::answer(io, socket, request);

  if (response.upgrade) {
    beast_http::response<beast_http::empty_body> head;
    detail::take_head(head, response, version);
    co_await beast_http::async_write(socket, head, use_task);
    Shard& shard = io.shard();
    TcpSocket own(shard.context());
    const auto protocol = socket.local_endpoint().protocol();
    own.assign(protocol, socket.release());
    std::string early = boost::beast::buffers_to_string(buffer.data());
    buffer.consume(early.size());
    response.upgrade(Stream::plain(shard, std::move(own)), std::move(early));
    co_return false;
  }
  beast_http::response<beast_http::string_body> answer;
  detail::take_head(answer, response, version);
  if (auto* text = std::get_if<std::string>(&response.body)) {
    answer.body() = std::move(*text);
  } else if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
    answer.body() = **shared;
  }
  answer.keep_alive(keep_alive && !response.close);
  answer.prepare_payload();
  co_await beast_http::async_write(socket, answer, use_task);
  co_return answer.keep_alive();
}

}  // namespace payam::sio
