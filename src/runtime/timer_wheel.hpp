// A hierarchical timer wheel: start, restart and cancel in constant time, a tick of 8 ms. Pure: time is a parameter.
// One a shard drives every heartbeat, time-out and grace period of its connections.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace payam {

class TimerWheel;

// One pending call; embed it in its owner. Its destructor cancels it. Not movable: the wheel points at it.
class Timer {
 public:
  using Callback = void (*)(void* owner);

  // `owner` must outlive the timer.
  Timer(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool pending() const { return wheel_ != nullptr; }
  void cancel();

 private:
  friend class TimerWheel;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  std::uint64_t due_ : 48 = 0;  // in ticks
  std::uint64_t slot_ : 16 = 0;
  Callback callback_;
  void* owner_;
};

// A timer that calls a member function: `MemberTimer<&Session::on_timeout> timer_{*this};`
template <auto Method>
class MemberTimer;
template <class Owner, void (Owner::*Method)()>
class MemberTimer<Method> : public Timer {
 public:
  explicit MemberTimer(Owner& owner) : Timer([](void* self) { (static_cast<Owner*>(self)->*Method)(); }, &owner) {}
};

class TimerWheel {
 public:
  static constexpr Millis kTick{8};

  explicit TimerWheel(SteadyTime now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Calls back during the first advance() at or after now + delay, never before; at most kTick late by the wheel's own
  // doing. Restarts a timer already pending. Delays over 37 hours are cut to that.
  void start(Timer& timer, SteadyTime now, Millis delay);

  // Runs what is due. Callbacks may start, cancel and destroy any timer, their own included.
  void advance(SteadyTime now);

  // When advance() should be called next at the latest; nullopt while nothing is pending. May be early (a cascade).
  std::optional<SteadyTime> next() const;

  std::size_t size() const { return size_; }

 private:
  friend class Timer;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1u << kBits;
  static constexpr unsigned kLevels = 4;

  std::uint64_t ticks(SteadyTime time) const;
  void link(Timer& timer);
  void unlink(Timer& timer);
  void run_slot(std::uint32_t slot);

  SteadyTime origin_;
  std::uint64_t current_ = 0;  // every tick up to and including this one has been run
  std::size_t size_ = 0;
  std::array<Timer*, kSlots * kLevels + 1> heads_{};  // the last list holds what is being run
  std::array<std::uint64_t, kLevels> occupied_{};     // a bit a slot
};

}  // namespace payam
