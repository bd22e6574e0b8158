#include "runtime/poller.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace payam {
namespace {

int make_set() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return fd;
}

}  // namespace

Poller::Poller(asio::io_context& context, std::function<void()> after_batch)
    : set_(context.get_executor(), make_set()), after_batch_(std::move(after_batch)) {}

void Poller::want(Entry& entry, std::uint32_t what) {
  if ((entry.wanted_ & what) == what) return;
  if (entry.wanted_ == 0) ++waiting_;
  entry.wanted_ = static_cast<std::uint16_t>(entry.wanted_ | what);
  if ((entry.registered_ & what) != what) set_registered(entry, entry.registered_ | what);
  wait();
}

void Poller::stop(Entry& entry) {
  if (std::exchange(entry.wanted_, 0) != 0) --waiting_;
  if (entry.registered_ != 0) set_registered(entry, 0);
  for (epoll_event& event : batch_) {
    if (event.data.ptr == &entry) event.data.ptr = nullptr;
  }
  if (waiting_ == 0 && wait_pending_) set_.cancel();
}

bool Poller::keep(std::shared_ptr<void> what) {
  if (ended_) return false;
  const void* const key = what.get();
  kept_.emplace(key, std::move(what));
  return true;
}

void Poller::let_go(const void* what) {
  // What it was may call here again while it goes.
  const auto gone = kept_.extract(what);
}

void Poller::end() {
  ended_ = true;
  set_.cancel();
  const auto gone = std::exchange(kept_, {});
}

void Poller::wait() {
  if (wait_pending_ || in_batch_ || waiting_ == 0 || ended_) return;
  wait_pending_ = true;
  set_.async_wait(asio::posix::descriptor_base::wait_read, [self = weak_from_this()](boost::system::error_code error) {
    const auto poller = self.lock();
    if (!poller || poller->ended_) return;
    poller->wait_pending_ = false;
    if (!error) poller->on_events();
    poller->wait();
  });
}

void Poller::on_events() {
  const SteadyTime until = steady_now() + kStretch;
  // A socket that is ready alone is no sign that others will be in a moment.
  while (run_batch() > 1 && !ended_ && steady_now() < until) {
  }
}

// How many were ready.
std::size_t Poller::run_batch() {
  std::array<epoll_event, kBatch> events;
  const int count = ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  if (count <= 0) return 0;  // interrupted: the next turn finds them
  struct Done {
    Poller& poller;
    ~Done() {
      poller.batch_ = {};
      poller.in_batch_ = false;
    }
  } done{*this};
  in_batch_ = true;
  batch_ = std::span(events).first(static_cast<std::size_t>(count));
  while (!batch_.empty()) {
    const epoll_event event = batch_.front();
    batch_ = batch_.subspan(1);
    if (event.data.ptr != nullptr) dispatch(*static_cast<Entry*>(event.data.ptr), event.events);
  }
  if (!ended_) after_batch_();
  return static_cast<std::size_t>(count);
}

void Poller::dispatch(Entry& entry, std::uint32_t events) {
  // An end or an error is for whoever waits.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) events |= kReadable | kWritable;
  const std::uint32_t come = entry.wanted_ & events;
  if (come == 0) return set_registered(entry, entry.wanted_);
  entry.wanted_ = static_cast<std::uint16_t>(entry.wanted_ & ~come);
  if (entry.wanted_ == 0) --waiting_;
  entry.on_ready(come);
}

void Poller::set_registered(Entry& entry, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &entry;
  const int operation = events == 0 ? EPOLL_CTL_DEL : entry.registered_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(set_.native_handle(), operation, entry.descriptor_.get(), &event) != 0 && events != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
  entry.registered_ = static_cast<std::uint16_t>(events);
}

}  // namespace payam
