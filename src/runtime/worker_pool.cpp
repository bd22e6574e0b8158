#include "runtime/worker_pool.hpp"

namespace payam {

WorkerPool::WorkerPool(std::string name, int threads, std::size_t queue_limit)
    : name_(std::move(name)), queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work_loop(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::enqueue(Work work, const Turn& turn) {
  // Without a limit there is no need to ask what time it is.
  const SteadyTime deadline = turn.patience == Millis::max() ? SteadyTime::max() : steady_now() + turn.patience;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_ || queue_.waiting_for(turn.caller) >= turn.most_waiting) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    queue_.push(turn.caller, std::move(work), deadline);
  }
  ready_.notify_one();
  return true;
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void WorkerPool::work_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::vector<Work> late = queue_.take_late(steady_now());
    Work job;
    if (!queue_.empty()) job = queue_.pop();
    lock.unlock();
    late_.fetch_add(late.size(), std::memory_order_relaxed);
    for (Work& each : late) each(Outcome::late);
    late.clear();
    if (job) job(Outcome::run);
    job = nullptr;
    lock.lock();
  }
}

}  // namespace payam
