// One client in one namespace. It lives on its shard: every method runs there only, except id(); handlers and middleware are
// called there. From elsewhere reach it by `io.to(id)`. Applications hold it by SocketPtr; handlers may capture it: they are
// dropped once the disconnect handlers have run. After disconnection every call is without effect.
#pragma once

#include <any>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payam/sio/broadcast_operator.hpp"
#include "payam/sio/event.hpp"
#include "payam/sio/handler.hpp"
#include "payam/sio/handshake.hpp"

namespace payam {
class Shard;
}

namespace payam::sio {

class Namespace;
class Server;
class SocketOperator;

namespace detail {
class SocketImpl;

template <class Reply>
Task<std::expected<Reply, AckError>> read_reply(Task<std::expected<Arguments, AckError>> task) {
  const auto raw = co_await std::move(task);
  if (!raw) co_return std::unexpected(raw.error());
  auto reply = read_argument<Reply>(*raw, 0);
  if (reply) co_return *std::move(reply);
  AckError error{AckError::Kind::invalid, std::move(reply).error()};
  co_return std::unexpected(std::move(error));
}
}  // namespace detail

// The connection below a socket, shared by the sockets of one client. Valid as long as the socket is used; its shard only.
class Conn {
 public:
  explicit Conn(std::shared_ptr<eio::Session> session) : session_(std::move(session)) {}

  const std::string& id() const;       // Engine.IO's; a secret between the client and us, unlike Socket::id
  std::string_view transport() const;  // "polling" or "websocket"
  bool is_open() const;
  // Queued and not yet with the kernel. Over Options::max_buffered_bytes volatile events are dropped, any other closes the
  // connection ("buffer overflow").
  std::size_t buffered_bytes() const;

 private:
  std::shared_ptr<eio::Session> session_;
};

class Socket : public std::enable_shared_from_this<Socket> {
 public:
  using ListenerId = std::uint64_t;

  const std::string& id() const;  // any thread
  bool connected() const;
  bool recovered() const;  // has taken over the state of an earlier socket; data and rooms are that one's
  const Handshake& handshake() const;
  Conn conn() const;
  Namespace nsp() const;
  Shard& shard() const;

  // The application's own; kept over a recovery. data<T>() makes a T where none is; asking for another type is a bug
  // (std::bad_any_cast).
  std::any& data();
  template <class T>
  T& data() {
    if (!data().has_value()) data().emplace<T>();
    return std::any_cast<T&>(data());
  }

  // --- Events in. For the forms of handlers see handler.hpp.
  template <class F>
  ListenerId on(std::string event, F handler) {
    return add_listener(std::move(event), detail::erase_handler(std::move(handler)), false);
  }
  // Called at most once.
  template <class F>
  ListenerId once(std::string event, F handler) {
    return add_listener(std::move(event), detail::erase_handler(std::move(handler)), true);
  }
  void off(ListenerId listener);
  void off(std::string_view event);  // every handler of this socket for it

  // Before the handlers of each event, in order of registration; a refusal ends the event and calls on_error().
  template <class F>
  void use(F middleware) {
    add_middleware(detail::erase_event_middleware(std::move(middleware)));
  }

  // Every event in, before its handlers. `prepend_any`: before the catch-all listeners there are.
  using AnyListener = std::function<void(const Event&)>;
  ListenerId on_any(AnyListener listener);
  ListenerId prepend_any(AnyListener listener);
  void off_any();
  void off_any(ListenerId listener);

  // Every event out, broadcasts included, with its arguments as JSON text (with msgpack: empty).
  using AnyOutgoingListener = std::function<void(std::string_view event, std::string_view json_arguments)>;
  ListenerId on_any_outgoing(AnyOutgoingListener listener);
  ListenerId prepend_any_outgoing(AnyOutgoingListener listener);
  void off_any_outgoing();
  void off_any_outgoing(ListenerId listener);

  // Still in its rooms; then out of them. Each called once.
  using DisconnectListener = std::function<void(DisconnectReason)>;
  void on_disconnecting(DisconnectListener listener);
  void on_disconnect(DisconnectListener listener);

  // Events that reached no handler. The acknowledgement, if one was asked for, is left to the listener.
  using ErrorListener = std::function<void(const EventError&, Ack)>;
  void on_error(ErrorListener listener);

  // --- Events out.
  template <class... Args>
  void emit(std::string_view event, const Args&... args) {
    emit_arguments(event, make_arguments(args...), {});
  }
  template <class... Args>
  void send(const Args&... args) {
    emit("message", args...);
  }
  // The arguments as JSON text already, separated by commas, without brackets. Not checked.
  void emit_raw(std::string_view event, std::string_view json_arguments);
  // The first argument of the client's acknowledgement.
  template <class Reply, class... Args>
  [[nodiscard]] Task<std::expected<Reply, AckError>> emit_with_ack(std::string_view event, const Args&... args) {
    return detail::read_reply<Reply>(request(shared_from_this(), std::string(event), make_arguments(args...), {}));
  }

  [[nodiscard]] SocketOperator timeout(Millis limit);
  [[nodiscard]] SocketOperator volatile_();
  [[nodiscard]] SocketOperator compress(bool on);

  // --- Others: everyone meant but this socket.
  [[nodiscard]] BroadcastOperator to(Rooms rooms);
  [[nodiscard]] BroadcastOperator in(Rooms rooms) { return to(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator except(Rooms rooms);
  [[nodiscard]] BroadcastOperator broadcast();
  [[nodiscard]] BroadcastOperator local();

  // --- Rooms. A socket is in the room of its own id from the start.
  void join(const Rooms& rooms);
  void leave(const Rooms& rooms);
  std::vector<std::string> rooms() const;
  bool in_room(std::string_view room) const;

  // `close`: the whole connection, with its sockets in other namespaces.
  void disconnect(bool close = false);

  explicit Socket(detail::SocketImpl& impl);  // the library's
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  detail::SocketImpl& impl() { return impl_; }  // the library's

 private:
  friend class SocketOperator;

  ListenerId add_listener(std::string event, detail::ErasedHandler handler, bool once);
  void add_middleware(detail::ErasedEventMiddleware middleware);
  void emit_arguments(std::string_view event, Arguments arguments, const detail::Flags& flags);
  static Task<std::expected<Arguments, AckError>> request(SocketPtr socket, std::string event, Arguments arguments,
                                                          detail::Flags flags);

  detail::SocketImpl& impl_;  // part of the same object
};

// `socket->timeout(5s).volatile_()…`: flags for one emit. A value; the socket's shard only.
class SocketOperator {
 public:
  [[nodiscard]] SocketOperator timeout(Millis limit) const;
  [[nodiscard]] SocketOperator volatile_() const;
  [[nodiscard]] SocketOperator compress(bool on) const;

  template <class... Args>
  void emit(std::string_view event, const Args&... args) const {
    socket_->emit_arguments(event, make_arguments(args...), flags_);
  }
  void emit_raw(std::string_view event, std::string_view json_arguments) const;
  template <class Reply, class... Args>
  [[nodiscard]] Task<std::expected<Reply, AckError>> emit_with_ack(std::string_view event, const Args&... args) const {
    return detail::read_reply<Reply>(Socket::request(socket_, std::string(event), make_arguments(args...), flags_));
  }

  [[nodiscard]] BroadcastOperator to(Rooms rooms) const;
  [[nodiscard]] BroadcastOperator in(Rooms rooms) const { return to(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator except(Rooms rooms) const;
  [[nodiscard]] BroadcastOperator broadcast() const;

 private:
  friend class Socket;
  SocketOperator(SocketPtr socket, detail::Flags flags) : socket_(std::move(socket)), flags_(flags) {}

  SocketPtr socket_;
  detail::Flags flags_;
};

}  // namespace payam::sio
