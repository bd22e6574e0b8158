#include "load/measure.hpp"

#include <algorithm>
#include <utility>

namespace payam::bench {

void Measure::run(const std::function<std::uint64_t()>& every_turn, const std::function<void(Report&)>& sample) {
  const auto turn_until = [&](std::uint64_t end, auto&& after) {
    for (std::uint64_t now = now_us(); now < end; now = now_us()) {
      loop_.turn(std::min(every_turn(), end - now));
      after();
    }
  };
  turn_until(now_us() + static_cast<std::uint64_t>(options_.warm_up * 1e6), [] {});

  tally_ = {};
  const std::uint64_t begin = now_us();
  const double own_before = own_cpu();
  const double machine_before = machine_cpu();
  before_ = usage_of(options_.server);
  std::uint64_t next_sample = begin + 1'000'000;
  turn_until(begin + static_cast<std::uint64_t>(options_.seconds * 1e6), [&] {
    if (options_.series && loop_.batch_time() >= next_sample) {
      next_sample += 1'000'000;
      take_sample(sample);
    }
  });
  after_ = usage_of(options_.server);
  machine_ = machine_cpu() - machine_before;
  own_ = own_cpu() - own_before;
  seconds_ = static_cast<double>(now_us() - begin) / 1e6;
}

void Measure::take_sample(const std::function<void(Report&)>& sample) {
  Report report;
  report.add("done", static_cast<double>(tally_.done - std::exchange(sampled_done_, tally_.done)))
      .add("p50_ms", tally_.latency.percentile_ms(0.5))
      .add("p99_ms", tally_.latency.percentile_ms(0.99))
      .add("server_bytes", static_cast<double>(usage_of(options_.server).private_bytes))
      .add("kernel_bytes", static_cast<double>(kernel_bytes()));
  if (sample) sample(report);
  series_ += (series_.empty() ? "" : ",") + report.json();
  whole_.merge(tally_.latency);
  tally_.latency.clear();
}

void Measure::add_to(Report& report) const {
  Histogram latency = whole_;
  latency.merge(tally_.latency);
  const double cpu = after_.cpu() - before_.cpu();
  const auto done = static_cast<double>(tally_.done);
  report.add("done", done)
      .add("bytes", static_cast<double>(tally_.bytes))
      .add("seconds", seconds_)
      .add("per_second", done / seconds_)
      .add("server_cpu", cpu)
      .add("server_user", after_.user_seconds - before_.user_seconds)
      .add("per_cpu_second", cpu > 0 ? done / cpu : 0)
      .add("user_us_each", done > 0 ? (after_.user_seconds - before_.user_seconds) * 1e6 / done : 0)
      .add("p50_ms", latency.percentile_ms(0.5))
      .add("p99_ms", latency.percentile_ms(0.99))
      .add("max_ms", latency.max_ms())
      .add("server_bytes", static_cast<double>(after_.private_bytes))
      // Over 0.9 the server waits for this program: the rates a second are ours then, those a CPU second still the server's.
      .add("generator_share", own_ / seconds_)
      // What neither the server nor this program used: the noise of the machine.
      .add("others_share", std::max(0.0, machine_ - own_ - cpu) / seconds_);
  if (options_.series) report.raw("series", "[" + series_ + "]");
}

}  // namespace payam::bench
