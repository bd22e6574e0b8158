#include "payam/sio/memory_adapter.hpp"

#include <condition_variable>
#include <utility>

namespace payam::sio {

class MemoryCluster::Member final : public Adapter, public std::enable_shared_from_this<Member> {
 public:
  explicit Member(std::shared_ptr<MemoryCluster> cluster) : cluster_(std::move(cluster)) {}

  void start(std::string node_id, Receive receive) override {
    node_id_ = std::move(node_id);
    {
      const std::lock_guard lock(mutex_);
      receive_ = std::move(receive);
    }
    const std::lock_guard lock(cluster_->mutex_);
    cluster_->started_.push_back(shared_from_this());
  }

  void stop() override {
    {
      const std::lock_guard lock(cluster_->mutex_);
      std::erase(cluster_->started_, shared_from_this());
    }
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return receiving_ == 0; });
    receive_ = nullptr;
  }

  void publish(ClusterMessage message) override {
    for (const auto& other : cluster_->others_of(*this)) {
      if (message.receiver.empty() || message.receiver == other->node_id_) other->take(message);
    }
  }

  std::size_t other_servers() const override { return cluster_->others_of(*this).size(); }

 private:
  // No lock is held meanwhile, as an answer may come back at once.
  void take(const ClusterMessage& message) {
    std::unique_lock lock(mutex_);
    if (!receive_) return;
    ++receiving_;
    lock.unlock();
    receive_(message);
    lock.lock();
    if (--receiving_ == 0) idle_.notify_all();
  }

  const std::shared_ptr<MemoryCluster> cluster_;
  std::string node_id_;  // set before others know of this one
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t receiving_ = 0;
  Receive receive_;
};

std::shared_ptr<Adapter> MemoryCluster::join() { return std::make_shared<Member>(shared_from_this()); }

std::vector<std::shared_ptr<MemoryCluster::Member>> MemoryCluster::others_of(const Member& member) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Member>> others;
  for (const auto& other : started_) {
    if (other.get() != &member) others.push_back(other);
  }
  return others;
}

}  // namespace payam::sio
