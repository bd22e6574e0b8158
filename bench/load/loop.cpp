#include "load/loop.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace payam::bench {

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    std::perror("epoll_create1");
    std::exit(1);
  }
}

Loop::~Loop() { ::close(epoll_); }

void Loop::add(int descriptor, Pollable& pollable) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &pollable;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    std::perror("epoll_ctl");
    std::exit(1);
  }
}

void Loop::remove(int descriptor) { epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

void Loop::turn(std::uint64_t timeout_us) {
  const timespec timeout{static_cast<time_t>(timeout_us / 1'000'000), static_cast<long>(timeout_us % 1'000'000) * 1000};
  const int ready = epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    std::perror("epoll_pwait2");
    std::exit(1);
  }
  batch_time_ = now_us();
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
  }
}

}  // namespace payam::bench
