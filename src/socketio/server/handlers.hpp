// What an application has registered: on a namespace, shared by its sockets, or on one socket.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payam/sio/event.hpp"
#include "payam/sio/socket.hpp"

namespace payam::sio::detail {

// A list that may be changed while it is walked: walkers hold the list they began with.
template <class T>
class SharedList {
 public:
  using List = std::shared_ptr<const std::vector<T>>;

  bool empty() const { return list_ == nullptr; }
  // Null when empty.
  const List& get() const { return list_; }
  void add(T value, bool first = false) {
    auto list = copy();
    list->insert(first ? list->begin() : list->end(), std::move(value));
    list_ = std::move(list);
  }
  template <class Predicate>
  bool remove_if(Predicate predicate) {
    if (list_ == nullptr) return false;
    auto list = copy();
    const bool changed = std::erase_if(*list, predicate) != 0;
    list_ = list->empty() ? nullptr : std::move(list);
    return changed;
  }
  void clear() { list_ = nullptr; }

 private:
  std::shared_ptr<std::vector<T>> copy() const {
    return list_ == nullptr ? std::make_shared<std::vector<T>>() : std::make_shared<std::vector<T>>(*list_);
  }

  List list_;
};

struct Listener {
  std::uint64_t id = 0;
  bool once = false;
  std::shared_ptr<const ErasedHandler> handler;
};

using ListenerMap = std::map<std::string, SharedList<Listener>, std::less<>>;

// A namespace's. Immutable once a socket has it: the namespace changes a copy.
struct NamespaceHandlers {
  std::vector<std::function<Task<>(const SocketPtr&)>> connection;
  std::vector<ErasedConnectMiddleware> middleware;
  ListenerMap events;
  std::vector<ErasedEventMiddleware> event_middleware;
  std::vector<std::function<void(const SocketPtr&, const Event&)>> any;
  std::vector<std::function<void(const SocketPtr&, const EventError&, Ack)>> error;
  std::vector<std::function<void(const SocketPtr&, DisconnectReason)>> disconnecting;
  std::vector<std::function<void(const SocketPtr&, DisconnectReason)>> disconnect;
  ListenerMap server_events;
};

// A socket's own; most have none.
struct SocketHandlers {
  ListenerMap events;
  SharedList<ErasedEventMiddleware> middleware;
  SharedList<std::pair<std::uint64_t, Socket::AnyListener>> any;
  SharedList<std::pair<std::uint64_t, Socket::AnyOutgoingListener>> any_outgoing;
  SharedList<Socket::DisconnectListener> disconnecting;
  SharedList<Socket::DisconnectListener> disconnect;
  SharedList<Socket::ErrorListener> error;
  std::uint64_t next_id = 1;
};

}  // namespace payam::sio::detail
