// Collects what several parties (shards, other servers) give for one request, until all have given everything or the time is
// over. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace payam::sio::detail {

template <class T>
class Gather {
 public:
  struct Result {
    std::vector<T> items;
    std::size_t expected = 0;
    bool timed_out = false;
  };
  // Called once, on the thread that settles the last part.
  using Done = std::move_only_function<void(Result)>;

  Gather(std::size_t parties, Done done) : parties_left_(parties), done_(std::move(done)) {}

  // One party has told how many items it will give.
  void announce(std::size_t items) {
    finish_after([&] {
      if (parties_left_ > 0) --parties_left_;
      result_.expected += items;
    });
  }
  void give(T item) {
    finish_after([&] {
      ++settled_;
      result_.items.push_back(std::move(item));
    });
  }
  // An announced item will not come.
  void lose() {
    finish_after([&] { ++settled_; });
  }
  // A party's items, all at once.
  void give_all(std::vector<T> items) {
    finish_after([&] {
      if (parties_left_ > 0) --parties_left_;
      result_.expected += items.size();
      settled_ += items.size();
      for (T& item : items) result_.items.push_back(std::move(item));
    });
  }
  // Ends with what there is.
  void time_out() {
    finish_after([&] {
      result_.timed_out = true;
      parties_left_ = 0;
      settled_ = result_.expected;
    });
  }
  // For a request without parties.
  void check() {
    finish_after([] {});
  }

 private:
  template <class F>
  void finish_after(F&& change) {
    Done done;
    Result result;
    {
      const std::lock_guard lock(mutex_);
      if (!done_) return;
      change();
      // Items may come before they are announced: `settled_` can be ahead for a while.
      if (parties_left_ != 0 || settled_ < result_.expected) return;
      done = std::exchange(done_, nullptr);
      result = std::move(result_);
    }
    done(std::move(result));
  }

  std::mutex mutex_;
  std::size_t parties_left_;
  std::size_t settled_ = 0;
  Result result_;
  Done done_;
};

}  // namespace payam::sio::detail
