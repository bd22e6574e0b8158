// What waits, served in turn by who it is for: everybody's first before anybody's second. So a caller with a thousand jobs is
// one step ahead of a caller with one. Pure; one thread, or a lock of the owner's.
#pragma once

#include <cassert>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/salted_hash.hpp"

namespace payam {

template <class Job>
class FairQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t waiting_for(std::string_view caller) const {
    const auto found = lines_.find(caller);
    return found == lines_.end() ? 0 : found->second->jobs.size();
  }

  // `deadline`: until when it may wait, see take_late().
  void push(std::string_view caller, Job job, SteadyTime deadline = SteadyTime::max()) {
    auto found = lines_.find(caller);
    if (found == lines_.end()) {
      turns_.push_back({std::string(caller), {}});
      found = lines_.emplace(turns_.back().caller, std::prev(turns_.end())).first;
    }
    found->second->jobs.push_back({std::move(job), deadline});
    ++size_;
  }

  // The first job of the caller whose turn it is.
  Job pop() {
    assert(!empty());
    const auto line = turns_.begin();
    Job job = std::move(line->jobs.front().job);
    line->jobs.pop_front();
    --size_;
    if (line->jobs.empty()) {
      lines_.erase(line->caller);
      turns_.erase(line);
    } else {
      turns_.splice(turns_.end(), turns_, line);
    }
    return job;
  }

  // Takes out every job whose deadline has passed. A caller's jobs are looked at from the front: they have the same patience.
  std::vector<Job> take_late(SteadyTime now) {
    std::vector<Job> late;
    for (auto line = turns_.begin(); line != turns_.end();) {
      while (!line->jobs.empty() && line->jobs.front().deadline <= now) {
        late.push_back(std::move(line->jobs.front().job));
        line->jobs.pop_front();
        --size_;
      }
      if (line->jobs.empty()) {
        lines_.erase(line->caller);
        line = turns_.erase(line);
      } else {
        ++line;
      }
    }
    return late;
  }

 private:
  struct Waiting {
    Job job;
    SteadyTime deadline;
  };
  struct Line {
    std::string caller;
    std::list<Waiting> jobs;  // never empty between calls
  };
  using Turns = std::list<Line>;

  Turns turns_;                                                                       // the next first
  std::unordered_map<std::string_view, typename Turns::iterator, SaltedHash> lines_;  // views of the lines' callers
  std::size_t size_ = 0;
};

}  // namespace payam
