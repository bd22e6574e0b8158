#include "runtime/poller.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.hpp"

namespace payam {
namespace {

using testing::ElementsAre;

// One end of a socket pair that counts what it is told.
class End final : public Poller::Entry {
 public:
  End(Poller& poller, Descriptor socket) : Poller::Entry(std::move(socket)), poller_(poller) {}
  ~End() { poller_.stop(*this); }

  void want(std::uint32_t what) { poller_.want(*this, what); }
  void stop() { poller_.stop(*this); }
  std::string read() {
    char bytes[64];
    const auto got = ::recv(descriptor().get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string();
  }
  void write(std::string_view text) { ::send(descriptor().get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL); }
  void fill() {
    const std::string block(64 * 1024, 'x');
    while (::send(descriptor().get(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
  }

  std::vector<std::uint32_t> told;
  std::function<void()> then = [] {};

 private:
  void on_ready(std::uint32_t what) override {
    told.push_back(what);
    then();
  }

  Poller& poller_;
};

class PollerTest : public testing::Test {
 protected:
  std::pair<std::unique_ptr<End>, std::unique_ptr<End>> connect() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    return {std::make_unique<End>(*poller_, Descriptor(fds[0])), std::make_unique<End>(*poller_, Descriptor(fds[1]))};
  }
  // Until nothing is waited for.
  void run() {
    context_.restart();
    context_.run();
  }
  // What is ready now.
  void poll() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_;
  int batches_ = 0;
  std::shared_ptr<Poller> poller_ = std::make_shared<Poller>(context_, [this] { ++batches_; });
};

TEST_F(PollerTest, TellsOnceForEachTimeOfAsking) {
  auto [left, right] = connect();
  left->want(Poller::kReadable);
  right->write("a");
  run();
  EXPECT_THAT(left->told, ElementsAre(Poller::kReadable));
  right->write("b");
  poll();
  EXPECT_EQ(left->told.size(), 1u) << "nobody asked";
  left->want(Poller::kReadable);
  run();
  EXPECT_EQ(left->told.size(), 2u);
  EXPECT_EQ(left->read(), "ab");
}

TEST_F(PollerTest, WhatWasNotReadIsToldAgain) {
  auto [left, right] = connect();
  right->write("a");
  left->then = [&left] {
    if (left->told.size() < 3) left->want(Poller::kReadable);
  };
  left->want(Poller::kReadable);
  run();
  EXPECT_EQ(left->told.size(), 3u);
}

TEST_F(PollerTest, OneThatIsReadyAndNotWantedDoesNotKeepTheLoopBusy) {
  auto [left, right] = connect();
  auto [other, far] = connect();
  left->want(Poller::kReadable);
  right->write("a");
  run();  // now registered and ready
  right.reset();
  other->want(Poller::kReadable);
  poll();
  context_.restart();
  EXPECT_EQ(context_.poll(), 0u) << "ready, asked about by nobody, and still it wakes the loop";
  far->write("b");
  run();
  EXPECT_EQ(other->told.size(), 1u);
  // It is not forgotten either.
  left->want(Poller::kReadable);
  run();
  EXPECT_EQ(left->told.size(), 2u);
}

TEST_F(PollerTest, ReadingAndWritingAreToldApart) {
  auto [left, right] = connect();
  left->fill();
  left->want(Poller::kReadable);
  left->want(Poller::kWritable);
  poll();
  EXPECT_TRUE(left->told.empty());
  right->write("a");
  poll();
  EXPECT_THAT(left->told, ElementsAre(Poller::kReadable));
  while (!right->read().empty()) {
  }
  run();
  EXPECT_THAT(left->told, ElementsAre(Poller::kReadable, Poller::kWritable));
}

TEST_F(PollerTest, AnEndIsForWhoeverWaits) {
  auto [left, right] = connect();
  left->fill();
  left->want(Poller::kWritable);
  right.reset();
  run();
  EXPECT_THAT(left->told, ElementsAre(Poller::kWritable));
  left->want(Poller::kReadable);
  run();
  EXPECT_THAT(left->told, ElementsAre(Poller::kWritable, Poller::kReadable));
}

TEST_F(PollerTest, OneMayEndAnotherOfTheSameTurn) {
  auto [first, first_far] = connect();
  auto [second, second_far] = connect();
  int told = 0;
  first->then = [&] {
    ++told;
    second.reset();
  };
  second->then = [&] {
    ++told;
    first.reset();
  };
  first->want(Poller::kReadable);
  second->want(Poller::kReadable);
  first_far->write("a");
  second_far->write("b");
  run();
  EXPECT_EQ(told, 1);
}

TEST_F(PollerTest, ALoopEndsWhenNobodyWaits) {
  auto [left, right] = connect();
  left->want(Poller::kReadable);
  poll();
  left->stop();
  run();  // would not return
  EXPECT_TRUE(left->told.empty());
  left->want(Poller::kReadable);
  right->write("a");
  run();
  EXPECT_EQ(left->told.size(), 1u);
}

TEST_F(PollerTest, ManyAreReadyAtOnce) {
  std::vector<std::pair<std::unique_ptr<End>, std::unique_ptr<End>>> pairs;
  for (int i = 0; i < 300; ++i) pairs.push_back(connect());  // more than a turn takes
  for (auto& [left, right] : pairs) {
    left->want(Poller::kReadable);
    right->write("a");
  }
  run();
  for (auto& [left, right] : pairs) EXPECT_EQ(left->told.size(), 1u);
}

TEST_F(PollerTest, WhatItKeepsGoesWithTheShard) {
  auto kept = std::make_shared<int>(7);
  EXPECT_TRUE(poller_->keep(kept));
  EXPECT_EQ(kept.use_count(), 2);
  poller_->let_go(kept.get());
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_TRUE(poller_->keep(kept));
  auto [left, right] = connect();
  left->want(Poller::kReadable);
  poller_->end();
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_FALSE(poller_->keep(kept));
  right->write("a");
  run();
  EXPECT_TRUE(left->told.empty());
}

TEST_F(PollerTest, TellsWhenABatchIsOver) {
  auto [left, right] = connect();
  auto [other, far] = connect();
  std::vector<bool> inside;
  for (End* end : {left.get(), other.get()}) {
    end->then = [&, end] {
      end->read();
      inside.push_back(poller_->in_batch());
      EXPECT_EQ(batches_, 0);
    };
    end->want(Poller::kReadable);
  }
  right->write("a");
  far->write("b");
  run();
  EXPECT_EQ(inside, (std::vector<bool>{true, true}));
  EXPECT_EQ(batches_, 1);
  EXPECT_FALSE(poller_->in_batch());
}

TEST_F(PollerTest, ServesWhatBecomesReadyWhileSeveralAreServedWithoutGoingBackToTheLoop) {
  auto [left, right] = connect();
  auto [other, far] = connect();
  auto [late, behind] = connect();
  for (End* end : {left.get(), other.get(), late.get()}) {
    end->then = [end] { end->read(); };
    end->want(Poller::kReadable);
  }
  left->then = [&near_end = *left, &far_end = *behind] {
    near_end.read();
    far_end.write("c");
  };
  right->write("a");
  far->write("b");
  context_.run_one();
  EXPECT_THAT(late->told, ElementsAre(Poller::kReadable));
  EXPECT_EQ(batches_, 2);
}

}  // namespace
}  // namespace payam
