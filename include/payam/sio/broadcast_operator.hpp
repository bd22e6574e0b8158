// Whom an event goes to: `io.to("room").except("others").volatile_().emit("event", value)`. A value: each step gives a new one.
// Any thread. The packet is encoded once; each shard gets one closure. What one thread broadcasts (events, joins, leaves,
// disconnections) takes effect in that thread's order on every shard.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "payam/sio/ack.hpp"
#include "payam/sio/json.hpp"
#include "payam/sio/target.hpp"
#include "runtime/task.hpp"

namespace payam::sio {

class RemoteSocket;

namespace detail {

class NamespaceImpl;

template <class Reply>
Task<Replies<Reply>> read_replies(Task<Replies<Arguments>> task) {
  const Replies<Arguments> raw = co_await std::move(task);
  Replies<Reply> out{{}, raw.expected, raw.invalid, raw.timed_out};
  for (const Arguments& arguments : raw.replies) {
    if (auto reply = read_argument<Reply>(arguments, 0)) {
      out.replies.push_back(*std::move(reply));
    } else {
      ++out.invalid;
    }
  }
  co_return out;
}

}  // namespace detail

class BroadcastOperator {
 public:
  explicit BroadcastOperator(std::shared_ptr<detail::NamespaceImpl> nsp, detail::Target target = {}, detail::Flags flags = {});

  [[nodiscard]] BroadcastOperator to(Rooms rooms) const;
  [[nodiscard]] BroadcastOperator in(Rooms rooms) const { return to(std::move(rooms)); }
  [[nodiscard]] BroadcastOperator except(Rooms rooms) const;

  // Dropped for a receiver whose transport is not writable at that moment.
  [[nodiscard]] BroadcastOperator volatile_() const;
  [[nodiscard]] BroadcastOperator compress(bool on) const;
  // Only sockets of this server, not of the cluster.
  [[nodiscard]] BroadcastOperator local() const;
  [[nodiscard]] BroadcastOperator timeout(Millis limit) const;

  // Throws std::invalid_argument for a reserved event name, here and in every other emit.
  template <class... Args>
  void emit(std::string_view event, const Args&... args) const {
    emit_arguments(event, make_arguments(args...));
  }
  template <class... Args>
  void send(const Args&... args) const {
    emit("message", args...);
  }
  void emit_arguments(std::string_view event, Arguments arguments) const;
  // The arguments as JSON text already, separated by commas, without brackets: `{"id":1},"b"`. Not checked.
  void emit_raw(std::string_view event, std::string_view json_arguments) const;

  // Waits for the first argument of each receiver's acknowledgement, until all have come or the time is over.
  template <class Reply, class... Args>
  [[nodiscard]] Task<Replies<Reply>> emit_with_ack(std::string_view event, const Args&... args) const {
    return detail::read_replies<Reply>(request(std::string(event), make_arguments(args...)));
  }

  // The sockets, of the whole cluster unless local(), with what other servers tell within Options::adapter_timeout.
  [[nodiscard]] Task<std::vector<RemoteSocket>> fetch_sockets() const;
  void sockets_join(Rooms rooms) const;
  void sockets_leave(Rooms rooms) const;
  // `close`: the whole connection, else only this namespace.
  void disconnect_sockets(bool close = false) const;

 private:
  Task<Replies<Arguments>> request(std::string event, Arguments arguments) const;

  std::shared_ptr<detail::NamespaceImpl> nsp_;
  detail::Target target_;
  detail::Flags flags_;
};

// What fetch_sockets() tells of a socket, wherever it is connected. A snapshot; its operations reach the socket by its id.
// Any thread.
class RemoteSocket {
 public:
  std::string id;
  std::vector<std::string> rooms;
  json::object auth;
  std::string address;
  json::value data;  // by Options::data_to_json

  RemoteSocket(std::shared_ptr<detail::NamespaceImpl> nsp, std::string socket_id);

  template <class... Args>
  void emit(std::string_view event, const Args&... args) const {
    self().emit(event, args...);
  }
  template <class Reply, class... Args>
  [[nodiscard]] Task<Replies<Reply>> emit_with_ack(Millis timeout, std::string_view event, const Args&... args) const {
    return self().timeout(timeout).template emit_with_ack<Reply>(event, args...);
  }
  void join(Rooms wanted) const { self().sockets_join(std::move(wanted)); }
  void leave(Rooms left) const { self().sockets_leave(std::move(left)); }
  void disconnect(bool close = false) const { self().disconnect_sockets(close); }

 private:
  BroadcastOperator self() const { return BroadcastOperator(nsp_).to(id); }

  std::shared_ptr<detail::NamespaceImpl> nsp_;
};

}  // namespace payam::sio
