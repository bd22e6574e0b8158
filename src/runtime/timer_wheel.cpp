#include "runtime/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace payam {

void Timer::cancel() {
  if (wheel_ != nullptr) wheel_->unlink(*this);
}

TimerWheel::TimerWheel(SteadyTime now) : origin_(now) {}

TimerWheel::~TimerWheel() {
  for (Timer* head : heads_) {
    while (head != nullptr) {
      Timer* next = head->next_;
      head->wheel_ = nullptr;
      head = next;
    }
  }
}

std::uint64_t TimerWheel::ticks(SteadyTime time) const {
  return time <= origin_ ? 0 : static_cast<std::uint64_t>((time - origin_) / kTick);
}

void TimerWheel::start(Timer& timer, SteadyTime now, Millis delay) {
  timer.cancel();
  constexpr std::uint64_t kFarthest = (std::uint64_t{1} << (kBits * kLevels)) - kSlots * kSlots * kSlots;
  const auto due = now + std::max(delay, Millis{0});
  std::uint64_t tick = ticks(due);
  if (origin_ + kTick * tick < due) ++tick;  // never early
  timer.due_ = std::clamp(tick, current_ + 1, current_ + kFarthest);
  link(timer);
}

// A timer stands in the lowest level whose span reaches it: level 0 holds the next 64 ticks, level 1 the next 64², …
void TimerWheel::link(Timer& timer) {
  const std::uint64_t distance = timer.due_ ^ current_;
  const unsigned level = distance == 0 ? 0 : (static_cast<unsigned>(std::bit_width(distance)) - 1) / kBits;
  assert(level < kLevels + 1);
  const unsigned used = std::min(level, kLevels - 1);
  const auto index = static_cast<unsigned>(timer.due_ >> (used * kBits)) & (kSlots - 1);
  timer.slot_ = used * kSlots + index;
  timer.wheel_ = this;
  timer.previous_ = nullptr;
  timer.next_ = heads_[timer.slot_];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  heads_[timer.slot_] = &timer;
  occupied_[used] |= std::uint64_t{1} << index;
  ++size_;
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    heads_[timer.slot_] = timer.next_;
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (heads_[timer.slot_] == nullptr && timer.slot_ < kSlots * kLevels) {
    occupied_[timer.slot_ / kSlots] &= ~(std::uint64_t{1} << (timer.slot_ % kSlots));
  }
  timer.wheel_ = nullptr;
  --size_;
}

// Moves a slot's timers to the running list first, so that callbacks may touch any list; those not yet due go down a level.
void TimerWheel::run_slot(std::uint32_t slot) {
  constexpr std::uint32_t kRunning = kSlots * kLevels;
  occupied_[slot / kSlots] &= ~(std::uint64_t{1} << (slot % kSlots));
  heads_[kRunning] = std::exchange(heads_[slot], nullptr);
  for (Timer* timer = heads_[kRunning]; timer != nullptr; timer = timer->next_) timer->slot_ = kRunning;
  while (Timer* timer = heads_[kRunning]) {
    unlink(*timer);
    if (timer->due_ <= current_) {
      timer->callback_(timer->owner_);
    } else {
      link(*timer);
    }
  }
}

void TimerWheel::advance(SteadyTime now) {
  const std::uint64_t target = ticks(now);
  while (current_ < target) {
    const auto due = next();
    if (!due) {
      current_ = target;
      return;
    }
    const std::uint64_t tick = ticks(*due);
    if (tick > target) {
      current_ = target;
      return;
    }
    current_ = tick;
    // Higher levels first: at a boundary their slot comes down.
    for (unsigned level = kLevels; level-- > 0;) {
      const std::uint64_t below = (std::uint64_t{1} << (level * kBits)) - 1;
      if ((current_ & below) != 0) continue;
      const auto index = static_cast<unsigned>(current_ >> (level * kBits)) & (kSlots - 1);
      if ((occupied_[level] >> index & 1) != 0) run_slot(level * kSlots + index);
    }
  }
}

std::optional<SteadyTime> TimerWheel::next() const {
  std::optional<std::uint64_t> earliest;
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * kBits;
    const auto position = static_cast<unsigned>(current_ >> shift) & (kSlots - 1);
    // The first occupied slot after the present one, in turn.
    const unsigned ahead =
        static_cast<unsigned>(std::countr_zero(std::rotr(occupied_[level], static_cast<int>((position + 1) % kSlots))));
    const std::uint64_t tick = ((current_ >> shift) + ahead + 1) << shift;
    if (!earliest || tick < *earliest) earliest = tick;
  }
  if (!earliest) return std::nullopt;
  return origin_ + kTick * *earliest;
}

}  // namespace payam
