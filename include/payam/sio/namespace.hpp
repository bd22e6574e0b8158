// A namespace: sockets that share handlers, middleware and rooms. A handle, cheap to copy; any thread. Handlers and middleware
// count for sockets that connect after they were registered, so register them before the server listens.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payam/sio/broadcast_operator.hpp"
#include "payam/sio/event.hpp"
#include "payam/sio/handler.hpp"
#include "payam/sio/socket.hpp"

namespace payam::sio {

class Namespace {
 public:
  explicit Namespace(std::shared_ptr<detail::NamespaceImpl> impl) : impl_(std::move(impl)) {}

  const std::string& name() const;

  // Called with each new socket, on its shard: (SocketPtr), a plain function or a coroutine.
  template <class F>
  void on_connection(F handler) {
    auto shared = std::make_shared<F>(std::move(handler));
    add_connection_handler([shared](const SocketPtr& socket) -> Task<> {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, SocketPtr>>) {
        (*shared)(socket);
        return {};
      } else {
        return (*shared)(socket);
      }
    });
  }

  // Before a socket connects, in order of registration: (SocketPtr) → Verdict, Task<Verdict> or void. The socket may be asked
  // for its handshake and given data and rooms; what is emitted to it is dropped. A refusal is the client's `connect_error`.
  template <class F>
  void use(F middleware) {
    add_middleware(detail::erase_connect_middleware(std::move(middleware)));
  }

  // A handler shared by every socket, with nothing stored for each; its first parameter is SocketPtr. They run before the
  // socket's own. For the forms of handlers see handler.hpp.
  template <class F>
  void on_event(std::string event, F handler) {
    add_event_handler(std::move(event), detail::erase_handler(std::move(handler)));
  }
  // An event middleware for every socket, before the socket's own: (SocketPtr, Event&) → Verdict, Task<Verdict> or void.
  template <class F>
  void use_event(F middleware) {
    add_event_middleware(detail::erase_event_middleware(std::move(middleware)));
  }
  // Shared forms of Socket::on_any(), on_error(), on_disconnecting(), on_disconnect().
  void on_any(std::function<void(const SocketPtr&, const Event&)> listener);
  void on_error(std::function<void(const SocketPtr&, const EventError&, Ack)> listener);
  void on_disconnecting(std::function<void(const SocketPtr&, DisconnectReason)> listener);
  void on_disconnect(std::function<void(const SocketPtr&, DisconnectReason)> listener);

  // --- Broadcasts: see BroadcastOperator.
  [[nodiscard]] BroadcastOperator to(Rooms rooms) const { return all().to(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator in(Rooms rooms) const { return all().to(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator except(Rooms rooms) const { return all().except(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator volatile_() const { return all().volatile_(); }
  [[nodiscard]] BroadcastOperator compress(bool on) const { return all().compress(on); }
  [[nodiscard]] BroadcastOperator local() const { return all().local(); }
  [[nodiscard]] BroadcastOperator timeout(Millis limit) const { return all().timeout(limit); }

  template <class... Args>
  void emit(std::string_view event, const Args&... args) const {
    all().emit(event, args...);
  }
  template <class... Args>
  void send(const Args&... args) const {
    all().emit("message", args...);
  }
  void emit_raw(std::string_view event, std::string_view json_arguments) const { all().emit_raw(event, json_arguments); }
  template <class Reply, class... Args>
  [[nodiscard]] Task<Replies<Reply>> emit_with_ack(std::string_view event, const Args&... args) const {
    return all().template emit_with_ack<Reply>(event, args...);
  }
  [[nodiscard]] Task<std::vector<RemoteSocket>> fetch_sockets() const { return all().fetch_sockets(); }
  void sockets_join(Rooms rooms) const { all().sockets_join(std::move(rooms)); }
  void sockets_leave(Rooms rooms) const { all().sockets_leave(std::move(rooms)); }
  void disconnect_sockets(bool close = false) const { all().disconnect_sockets(close); }

  // --- The other servers of the cluster.
  // (arguments… [Ack]) as for events; called on one of this server's shards, without a socket.
  template <class F>
  void on_server_event(std::string event, F handler) {
    add_server_event_handler(std::move(event), detail::erase_handler(std::move(handler)));
  }
  // To the handlers of on_server_event() on every other server.
  template <class... Args>
  void server_side_emit(std::string_view event, const Args&... args) const {
    server_side_emit_arguments(event, make_arguments(args...));
  }
  template <class Reply, class... Args>
  [[nodiscard]] Task<Replies<Reply>> server_side_emit_with_ack(std::string_view event, const Args&... args) const {
    return detail::read_replies<Reply>(server_side_request(std::string(event), make_arguments(args...)));
  }

  // Sockets connected on this server; a snapshot.
  std::size_t local_size() const;

 private:
  using ConnectionHandler = std::function<Task<>(const SocketPtr&)>;

  BroadcastOperator all() const { return BroadcastOperator(impl_); }
  void add_connection_handler(ConnectionHandler handler);
  void add_middleware(detail::ErasedConnectMiddleware middleware);
  void add_event_handler(std::string event, detail::ErasedHandler handler);
  void add_event_middleware(detail::ErasedEventMiddleware middleware);
  void add_server_event_handler(std::string event, detail::ErasedHandler handler);
  void server_side_emit_arguments(std::string_view event, Arguments arguments) const;
  Task<Replies<Arguments>> server_side_request(std::string event, Arguments arguments) const;

  std::shared_ptr<detail::NamespaceImpl> impl_;
};

}  // namespace payam::sio
