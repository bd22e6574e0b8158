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
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

#include "runtime/task.hpp"

namespace payam {

class Poller : public std::enable_shared_from_this<Poller> {
 public:
  static constexpr std::uint32_t kReadable = EPOLLIN;
  static constexpr std::uint32_t kWritable = EPOLLOUT;

  // A descriptor that somebody may wait for. It stops before the descriptor is closed and before it dies.
  class Entry {
   public:
    explicit Entry(int fd) : fd_(fd) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   protected:
    ~Entry() = default;

   private:
    friend class Poller;
    // What of that which was wanted has come, an end or an error included; it is wanted no longer.
    virtual void on_ready(std::uint32_t what) = 0;

    const int fd_;
    std::uint16_t wanted_ = 0;
    std::uint16_t registered_ = 0;  // with the kernel; may be more than is wanted, until it comes
  };

  explicit Poller(asio::io_context& context);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Calls on_ready() once, from the loop. What is already wanted stays so.
  void want(Entry& entry, std::uint32_t what);
  // Nothing is called any more. Idempotent.
  void stop(Entry& entry);

  // Keeps what must outlive its owners for a while; false when the shard has ended.
  bool keep(std::shared_ptr<void> what);
  void let_go(const void* what);
  // The shard ends: nothing is kept or called any more.
  void end();

 private:
  static constexpr std::size_t kBatch = 256;  // sockets a turn of the loop

  void wait();
  void on_events();
  void dispatch(Entry& entry, std::uint32_t events);
  void set_registered(Entry& entry, std::uint32_t events);

  asio::posix::basic_stream_descriptor<Executor> set_;
  std::size_t waiting_ = 0;  // entries of which something is wanted: while there are none the loop may end
  bool wait_pending_ = false;
  std::span<epoll_event> batch_;  // still to be dispatched
  std::unordered_map<const void*, std::shared_ptr<void>> kept_;
  bool ended_ = false;
};

}  // namespace payam
