// A measured stretch of time: what was done, by which means of the server's, and how busy this program was itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "load/histogram.hpp"
#include "load/loop.hpp"
#include "load/options.hpp"
#include "load/report.hpp"
#include "load/usage.hpp"

namespace payam::bench {

// Counted by the scenario as it goes.
struct Tally {
  std::uint64_t done = 0;  // deliveries or acknowledgements
  std::uint64_t bytes = 0;
  Histogram latency;
};

class Measure {
 public:
  Measure(Loop& loop, const Options& options, Tally& tally) : loop_(loop), options_(options), tally_(tally) {}

  // Runs the loop through the warm-up and the measured time. `every_turn` is called after each turn of the loop and says in
  // how many microseconds at the latest it wants to be called again. `sample` may add to the samples of --series.
  void run(const std::function<std::uint64_t()>& every_turn, const std::function<void(Report&)>& sample = {});

  double seconds() const { return seconds_; }
  void add_to(Report& report) const;

 private:
  void take_sample(const std::function<void(Report&)>& sample);

  Loop& loop_;
  const Options& options_;
  Tally& tally_;
  double seconds_ = 0;
  double own_ = 0;      // processor seconds of this program
  double machine_ = 0;  // of all processes
  Usage before_, after_;
  std::uint64_t sampled_done_ = 0;
  Histogram whole_;  // of all samples, as each begins with an empty one
  std::string series_;
};

}  // namespace payam::bench
