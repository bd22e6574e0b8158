// What stands behind a Namespace: handlers, a part on each shard, and the operations that reach all of them and the other
// servers. Any thread, but for what a part does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/salted_hash.hpp"
#include "payam/sio/namespace.hpp"
#include "socketio/server/core.hpp"
#include "socketio/server/gather.hpp"
#include "socketio/server/handlers.hpp"
#include "socketio/server/part.hpp"

namespace payam::sio::detail {

class Cluster;

// Acknowledgement ids of broadcasts are the same for every receiver, those of a socket's own emits count from 0.
inline constexpr std::uint64_t kFirstBroadcastAckId = 1'000'000'000;

class NamespaceImpl : public std::enable_shared_from_this<NamespaceImpl> {
 public:
  enum class Kind { fixed, child, parent };

  // `cluster` may be null: a server on its own.
  NamespaceImpl(std::string its_name, Kind its_kind, std::shared_ptr<Core> its_core, std::shared_ptr<Cluster> its_cluster,
                std::shared_ptr<const NamespaceHandlers> its_handlers);
  ~NamespaceImpl();

  const std::string name;
  const Kind kind;
  const std::shared_ptr<Core> core;
  const std::shared_ptr<Cluster> cluster;

  std::shared_ptr<const NamespaceHandlers> handlers() const;
  // Changes a copy, which counts for sockets that connect from now on.
  void change_handlers(const std::function<void(NamespaceHandlers&)>& change);

  NamespacePart& part(std::size_t shard) { return *parts_[shard]; }
  std::size_t room_count() const;  // over all parts

  // --- Operations. On this shard they take effect at once, on others in the order of the calls of one thread.
  void broadcast(Target target, const Flags& flags, std::string_view event, Content content);
  void join(Target target, const Flags& flags, std::vector<std::string> rooms);
  void leave(Target target, const Flags& flags, std::vector<std::string> rooms);
  void disconnect(Target target, const Flags& flags, bool close);
  void request(Target target, const Flags& flags, std::string_view event, Content content, Gather<Arguments>::Done done);
  void fetch(Target target, const Flags& flags, Gather<SocketDetails>::Done done);
  void server_side_emit(std::string_view event, Arguments arguments);
  void server_side_request(std::string_view event, Arguments arguments, Millis timeout, Gather<Arguments>::Done done);

  // The same on this server alone; for the cluster too.
  void broadcast_here(Target target, bool is_volatile, bool compress, std::string_view event, Content content,
                      std::shared_ptr<AckCollector> collector, std::uint64_t ack_id);
  void join_here(Target target, std::vector<std::string> rooms);
  void leave_here(Target target, std::vector<std::string> rooms);
  void disconnect_here(Target target, bool close);
  void fetch_here(Target target, std::shared_ptr<Gather<SocketDetails>> gather);
  void forget_broadcast(std::uint64_t ack_id);
  std::uint64_t next_broadcast_ack_id();
  // Calls the handlers of on_server_event(), on a shard.
  void on_server_event(std::string event, Arguments arguments, Ack ack);

  std::uint64_t next_offset() { return offsets_.fetch_add(1, std::memory_order_relaxed) + 1; }

  // --- Where a recoverable socket's state is, by its pid.
  void set_home(const std::string& pid, std::size_t shard);
  void forget_home(const std::string& pid);
  std::optional<std::size_t> find_home(const std::string& pid) const;

  // --- Who is in it: sockets, sockets on their way in, kept state. The server counts before it hands the namespace out.
  std::atomic<std::size_t> occupants{0};
  std::atomic<std::size_t> connected{0};
  void vacate();
  std::function<void()> on_empty;  // of a child, set before anybody enters; any thread

  // --- Of a parent.
  void add_child(const std::shared_ptr<NamespaceImpl>& child);
  void remove_child(const std::string& child_name);
  std::vector<std::shared_ptr<NamespaceImpl>> children() const;

 private:
  // Runs `work(part)` for every shard's part: at once here, posted elsewhere.
  template <class F>
  void each_part(F work);

  ClusterMessage message_for(ClusterMessage::Type type, const Target& target) const;
  ClusterMessage event_message(ClusterMessage::Type type, const Target& target, const Flags& flags, std::string_view event,
                               Content& content) const;
  // A gathering that ends after `timeout` at the latest; then `request`, if not 0, is over for the cluster.
  template <class T>
  std::shared_ptr<Gather<T>> ask(std::size_t parties, std::uint64_t request, Millis timeout, typename Gather<T>::Done done);

  mutable std::mutex mutex_;
  std::shared_ptr<const NamespaceHandlers> handlers_;
  std::unordered_map<std::string, std::size_t, SaltedHash> homes_;
  std::unordered_map<std::string, std::shared_ptr<NamespaceImpl>, SaltedHash> children_;
  std::vector<std::unique_ptr<NamespacePart>> parts_;
  std::atomic<std::uint64_t> offsets_{0};
  std::atomic<std::uint32_t> broadcast_acks_{0};
};

}  // namespace payam::sio::detail
