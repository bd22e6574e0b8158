#include "runtime/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace payam {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1000s};

struct Alarm {
  TimerWheel& wheel;
  SteadyTime& now;
  std::vector<Millis> fired;
  void ring() { fired.push_back(std::chrono::duration_cast<Millis>(now - kStart)); }
  MemberTimer<&Alarm::ring> timer{*this};
};

class TimerWheelTest : public testing::Test {
 protected:
  void run_until(Millis time, Millis step = 1ms) {
    while (now_ < kStart + time) {
      now_ += step;
      wheel_.advance(now_);
    }
  }
  SteadyTime now_ = kStart;
  TimerWheel wheel_{kStart};
};

TEST_F(TimerWheelTest, NeverEarlyAndAtMostATickLate) {
  for (const Millis delay : {0ms, 1ms, 8ms, 300ms, 511ms, 512ms, 513ms, 25'000ms, 32'768ms, 45'000ms}) {
    Alarm alarm{wheel_, now_, {}};
    const auto started = std::chrono::duration_cast<Millis>(now_ - kStart);
    wheel_.start(alarm.timer, now_, delay);
    run_until(started + delay + 2 * TimerWheel::kTick);
    ASSERT_EQ(alarm.fired.size(), 1u) << delay.count();
    EXPECT_GE(alarm.fired[0], started + delay);
    EXPECT_LE(alarm.fired[0], started + delay + TimerWheel::kTick) << delay.count();
  }
}

TEST_F(TimerWheelTest, CancelledAndDestroyedTimersStaySilent) {
  Alarm cancelled{wheel_, now_, {}};
  wheel_.start(cancelled.timer, now_, 100ms);
  cancelled.timer.cancel();
  {
    Alarm destroyed{wheel_, now_, {}};
    wheel_.start(destroyed.timer, now_, 100ms);
  }
  EXPECT_EQ(wheel_.size(), 0u);
  EXPECT_FALSE(wheel_.next());
  run_until(200ms);
  EXPECT_TRUE(cancelled.fired.empty());
}

TEST_F(TimerWheelTest, RestartMovesTheDeadline) {
  Alarm alarm{wheel_, now_, {}};
  wheel_.start(alarm.timer, now_, 100ms);
  run_until(80ms);
  wheel_.start(alarm.timer, now_, 100ms);
  run_until(170ms);
  EXPECT_TRUE(alarm.fired.empty());
  run_until(200ms);
  EXPECT_EQ(alarm.fired.size(), 1u);
}

struct Chain {
  TimerWheel& wheel;
  SteadyTime& now;
  std::unique_ptr<Alarm> victim;
  int rings = 0;
  void ring() {
    victim.reset();
    if (++rings < 3) wheel.start(timer, now, 50ms);
  }
  MemberTimer<&Chain::ring> timer{*this};
};

TEST_F(TimerWheelTest, CallbacksMayRestartThemselvesAndDestroyOthersDueAtTheSameTick) {
  Chain chain{wheel_, now_, std::make_unique<Alarm>(wheel_, now_, std::vector<Millis>{})};
  wheel_.start(chain.victim->timer, now_, 50ms);
  wheel_.start(chain.timer, now_, 50ms);
  run_until(1s);
  EXPECT_EQ(chain.rings, 3);
  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(TimerWheelTest, RunsEverythingAfterALongSleep) {
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 1000; ++i) {
    alarms.push_back(std::make_unique<Alarm>(wheel_, now_, std::vector<Millis>{}));
    wheel_.start(alarms.back()->timer, now_, i * 97ms);
  }
  now_ += 1h;
  wheel_.advance(now_);
  for (const auto& alarm : alarms) EXPECT_EQ(alarm->fired.size(), 1u);
}

TEST_F(TimerWheelTest, AgreesWithASortedMapUnderRandomUse) {
  std::mt19937 random{7};
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::vector<std::optional<SteadyTime>> expected(64);
  for (int i = 0; i < 64; ++i) alarms.push_back(std::make_unique<Alarm>(wheel_, now_, std::vector<Millis>{}));
  for (int step = 0; step < 20'000; ++step) {
    const auto which = random() % 64;
    if (random() % 4 == 0) {
      alarms[which]->timer.cancel();
      expected[which].reset();
    } else {
      const Millis delay{random() % (random() % 8 == 0 ? 400'000 : 2'000)};
      wheel_.start(alarms[which]->timer, now_, delay);
      expected[which] = now_ + delay;
    }
    now_ += Millis{random() % 40};
    if (const auto due = wheel_.next(); due && random() % 3 == 0) now_ = std::max(now_, *due);
    wheel_.advance(now_);
    for (std::size_t i = 0; i < 64; ++i) {
      if (!alarms[i]->fired.empty()) {
        ASSERT_TRUE(expected[i]);
        ASSERT_LE(*expected[i], now_);
        alarms[i]->fired.clear();
        expected[i].reset();
      }
      if (expected[i]) {
        ASSERT_GT(*expected[i] + TimerWheel::kTick, now_) << "missed";
      }
    }
  }
}

}  // namespace
}  // namespace payam
