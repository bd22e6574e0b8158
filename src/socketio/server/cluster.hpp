// This server among others: turns operations into messages for the adapter, and the messages of others into operations.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "payam/sio/adapter.hpp"
#include "socketio/server/core.hpp"
#include "socketio/server/gather.hpp"

namespace payam::sio::detail {

class NamespaceImpl;

class Cluster : public std::enable_shared_from_this<Cluster> {
 public:
  using FindNamespace = std::function<std::shared_ptr<NamespaceImpl>(const std::string&)>;

  Cluster(std::shared_ptr<Core> core, std::shared_ptr<Adapter> adapter);

  // `find` gives the namespaces of this server, null if there is none of that name.
  void start(FindNamespace find);
  void stop();

  std::size_t other_servers() const { return adapter_->other_servers(); }
  // To every other server; fills in the sender.
  void publish(ClusterMessage message);
  // Answers that carry the number `request` go to the gathering, until end_request().
  std::uint64_t new_request() { return next_request_.fetch_add(1, std::memory_order_relaxed); }
  void add_request(std::uint64_t request, std::shared_ptr<Gather<Arguments>> gather);
  void add_request(std::uint64_t request, std::shared_ptr<Gather<SocketDetails>> gather);
  void end_request(std::uint64_t request);

 private:
  struct Pending {
    std::shared_ptr<Gather<Arguments>> replies;
    std::shared_ptr<Gather<SocketDetails>> sockets;
  };

  Pending find_request(std::uint64_t request);
  void receive(ClusterMessage message);
  void on_answer(ClusterMessage message);
  void on_broadcast_with_ack(NamespaceImpl& nsp, ClusterMessage message);
  ClusterMessage answer_to(const ClusterMessage& question, ClusterMessage::Type type) const;

  std::shared_ptr<Core> core_;
  std::shared_ptr<Adapter> adapter_;
  FindNamespace find_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Pending> requests_;
  std::atomic<std::uint64_t> next_request_{1};
};

}  // namespace payam::sio::detail
