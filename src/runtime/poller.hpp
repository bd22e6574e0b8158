// Readiness of a shard's sockets. Asio's own reactor makes a system call each time somebody waits again; here a socket stays
// registered and waiting again sets a flag, which for a small message is a tenth of all its cost. A poller is one descriptor in
// Asio's reactor (an epoll set inside another), so it works on any loop. The loop's thread only.
//
// Sockets hold their poller: closures of a loop that has stopped may let go of them after their shard.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "runtime/task.hpp"

namespace payam {

class Poller : public std::enable_shared_from_this<Poller> {
 public:
  static constexpr std::uint32_t kReadable = EPOLLIN;
  static constexpr std::uint32_t kWritable = EPOLLOUT;

  // A descriptor, owned, that somebody may wait for. Has to be stopped before the descriptor is released and before it dies.
  class Entry {
   public:
    explicit Entry(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   protected:
    ~Entry() = default;

    const Descriptor& descriptor() const { return descriptor_; }
    Descriptor release_descriptor() { return std::move(descriptor_); }

   private:
    friend class Poller;
    // What of that which was wanted has come, an end or an error included; it is wanted no longer.
    virtual void on_ready(std::uint32_t what) = 0;

    Descriptor descriptor_;
    std::uint16_t wanted_ = 0;
    std::uint16_t registered_ = 0;  // with the kernel; may be more than is wanted, until it comes
  };

  // `after_batch` is called whenever sockets that were ready together have been told; not after end().
  Poller(asio::io_context& context, std::function<void()> after_batch);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Calls on_ready() once, from the loop. What is already wanted stays so.
  void want(Entry& entry, std::uint32_t what);
  // Nothing is called any more. Idempotent.
  void stop(Entry& entry);

  // Whether sockets are being told just now: after_batch follows.
  bool in_batch() const { return in_batch_; }

  // Keeps what must outlive its owners for a while; false when the shard has ended.
  bool keep(std::shared_ptr<void> what);
  void let_go(const void* what);
  // The shard ends: nothing is kept or called any more.
  void end();

 private:
  static constexpr std::size_t kBatch = 256;  // sockets told before what they bring is flushed
  // While sockets are ready they are served without going back to the loop, which costs three system calls; this long, then
  // what else is on the loop has its turn.
  static constexpr std::chrono::microseconds kStretch{500};

  void wait();
  void on_events();
  std::size_t run_batch();
  void dispatch(Entry& entry, std::uint32_t events);
  void set_registered(Entry& entry, std::uint32_t events);

  asio::posix::basic_stream_descriptor<Executor> set_;
  std::size_t waiting_ = 0;  // entries of which something is wanted: while there are none the loop may end
  bool wait_pending_ = false;
  bool in_batch_ = false;
  std::span<epoll_event> batch_;  // still to be dispatched
  const std::function<void()> after_batch_;
  std::unordered_map<const void*, std::shared_ptr<void>> kept_;
  bool ended_ = false;
};

}  // namespace payam
