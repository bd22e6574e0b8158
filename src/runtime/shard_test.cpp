#include "runtime/shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace payam {
namespace {

using namespace std::chrono_literals;

struct Output final : Flushable {
  explicit Output(std::string& log, char mark) : log_(log), mark_(mark) {}
  void flush() override { log_ += mark_; }
  std::string& log_;
  char mark_;
};

// `count` of them; the last one leaves `last`.
std::vector<std::unique_ptr<Output>> outputs(std::string& log, int count, char mark, char last) {
  std::vector<std::unique_ptr<Output>> list;
  for (int i = 1; i <= count; ++i) list.push_back(std::make_unique<Output>(log, i == count ? last : mark));
  return list;
}
std::vector<std::unique_ptr<Output>> outputs(std::string& log, int count, char mark = '.') {
  return outputs(log, count, mark, mark);
}

TEST(Shard, FlushesOnceAfterEveryHandlerOfTheTurn) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  Output a(log, 'A'), b(log, 'B');
  asio::post(context, [&] {
    log += '1';
    shard.flush_later(a);
    shard.flush_later(b);
  });
  asio::post(context, [&] {
    log += '2';
    shard.flush_later(a);
  });
  context.run();
  EXPECT_EQ(log, "12AB");
}

TEST(Shard, ForgetsWhatDiesBeforeTheFlush) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  auto dying = std::make_unique<Output>(log, 'D');
  Output kept(log, 'K');
  asio::post(context, [&] {
    shard.flush_later(*dying);
    shard.flush_later(kept);
    dying.reset();
  });
  context.run();
  EXPECT_EQ(log, "K");
}

TEST(Shard, OutputOfALaterTurnDoesNotWaitBehindALargeFlush) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  const auto many = outputs(log, 1000);
  Output late(log, 'L');
  asio::post(context, [&] {
    for (auto& output : many) shard.flush_later(*output);
    asio::post(context, [&] { shard.flush_later(late); });  // runs when the first slice is done
  });
  context.run();
  EXPECT_EQ(log.size(), 1001u);
  EXPECT_EQ(log.find('L'), Shard::kFlushSlice);
}

TEST(Shard, ALargeFlushGoesOnWhileEveryTurnBringsMore) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  const auto old = outputs(log, 1000, 'o');
  const auto fresh = outputs(log, 300, 'f');
  std::function<void()> bring_more = [&] {
    for (auto& output : fresh) shard.flush_later(*output);
    if (log.size() < 10'000) asio::post(context, bring_more);
  };
  asio::post(context, [&] {
    for (auto& output : old) shard.flush_later(*output);
    asio::post(context, bring_more);
  });
  context.run();
  EXPECT_EQ(std::ranges::count(log, 'o'), 1000);
  EXPECT_LT(log.rfind('o'), 2 * (1000 + Shard::kFlushSlice));  // of each slice after the first at least half
}

TEST(Shard, LargeFlushesLetOthersThroughBetweenSlices) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  const auto many = outputs(log, 1000);
  asio::post(context, [&] {
    for (auto& output : many) shard.flush_later(*output);
    asio::post(context, [&] { log += 'p'; });
  });
  context.run();
  EXPECT_EQ(log.size(), 1001u);
  EXPECT_LT(log.find('p'), 600u);
}

TEST(Shard, WhatIsForFewGoesBeforeWhatIsForMany) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  const auto many = outputs(log, 1000);
  Output reply(log, 'R');
  Output both(log, 'B');  // has a part of the broadcast to write and a reply
  asio::post(context, [&] {
    {
      const Shard::Bulk bulk(shard, true);
      for (auto& output : many) shard.flush_later(*output);
      shard.flush_later(both);
    }
    shard.flush_later(reply);
    shard.flush_later(both);
    const Shard::Bulk bulk(shard, true);
    shard.flush_later(reply);  // is not put back
  });
  context.run();
  EXPECT_EQ(log.size(), 1002u);
  EXPECT_TRUE(log.starts_with("RB.")) << log.substr(0, 10);
}

TEST(Shard, WhoIsSentLittleAllTheTimeIsNotPutOffForEver) {
  asio::io_context context;
  Shard shard(0, context);
  std::string log;
  const auto many = outputs(log, 1000, '.', 'L');
  std::function<void()> send_all = [&] {
    for (auto& output : many) shard.flush_later(*output);
    if (log.size() < 10'000) asio::post(context, send_all);
  };
  asio::post(context, [&] {
    const Shard::Bulk bulk(shard, true);
    for (auto& output : many) shard.flush_later(*output);
  });
  asio::post(context, send_all);
  context.run();
  EXPECT_LT(log.find('L'), 3000u);
}

struct Alarm {
  void ring() { ++rings; }
  int rings = 0;
  MemberTimer<&Alarm::ring> timer{*this};
};

TEST(Shard, DrivesTimersFromItsLoop) {
  asio::io_context context;
  Shard shard(0, context);
  Alarm late, early, cancelled;
  const auto start = steady_now();
  shard.start_timer(late.timer, 60ms);
  shard.start_timer(early.timer, 10ms);
  shard.start_timer(cancelled.timer, 20ms);
  cancelled.timer.cancel();
  context.run();
  EXPECT_EQ(late.rings, 1);
  EXPECT_EQ(early.rings, 1);
  EXPECT_EQ(cancelled.rings, 0);
  EXPECT_GE(steady_now() - start, 60ms);
}

}  // namespace
}  // namespace payam
