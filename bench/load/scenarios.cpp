#include "load/scenarios.hpp"

#include <optional>

#include "load/broadcast.hpp"
#include "load/probe.hpp"

namespace payam::bench {
namespace {

void add_crowd(Report& report, const Crowd& crowd) { report.add("joined", crowd.joined()).add("lost", crowd.lost()); }

class Echo final : public Crowd {
 public:
  Echo(Loop& loop, const Options& options) : Crowd(loop, options), sent_at_(static_cast<std::size_t>(options.receivers)) {
    request_ = "427[\"echo\",{\"text\":\"" + std::string(static_cast<std::size_t>(options.bytes), 'e') + "\"}]";
  }

  void start() {
    for (int i = 0; i < size(); ++i) {
      if ((*this)[i].ready()) ask((*this)[i]);
    }
  }

  Tally tally;

 private:
  void ask(Client& client) {
    sent_at_[static_cast<std::size_t>(client.index())] = now_us();
    client.send(request_);
  }

  void on_reply(Client& client, std::string_view packet) override {
    ++tally.done;
    tally.bytes += packet.size();
    tally.latency.add(now_us() - sent_at_[static_cast<std::size_t>(client.index())]);
    ask(client);
  }

  std::string request_;
  std::vector<std::uint64_t> sent_at_;
};

}  // namespace

Report run_broadcast(const Options& options) {
  Report report;
  Loop loop;
  Broadcast crowd(loop, options);
  std::optional<Probe> probe;
  if (options.scenario == Scenario::flood) probe.emplace(options);
  if (!crowd.gather(true)) {
    add_crowd(report, crowd);
    return report.add("error", "not all could join");
  }
  if (options.scenario != Scenario::rate) crowd.start_loops();
  if (probe) probe->begin();
  Measure measure(loop, options, crowd.tally());
  measure.run(
      [&]() -> std::uint64_t {
        if (options.scenario == Scenario::rate) return crowd.publish_due();
        crowd.revive_stuck_loops();
        return 100'000;
      },
      [&](Report& sample) { sample.add("cut_off", crowd.stalled_cut_off()); });
  add_crowd(report, crowd);
  measure.add_to(report);
  report.add("incomplete", static_cast<double>(crowd.incomplete()));
  if (options.stalled > 0) report.add("cut_off", crowd.stalled_cut_off());
  if (probe) {
    probe->stop();
    report.add("probes", static_cast<double>(probe->latency().total()))
        .add("probe_p50_ms", probe->latency().percentile_ms(0.5))
        .add("probe_p99_ms", probe->latency().percentile_ms(0.99))
        .add("probe_max_ms", probe->latency().max_ms());
  }
  if (options.scenario == Scenario::rate && static_cast<double>(crowd.tally().done) < 0.9 * options.rate * measure.seconds()) {
    report.add("error", "overloaded");
  }
  return report;
}

Report run_echo(const Options& options) {
  Report report;
  Loop loop;
  Echo crowd(loop, options);
  if (!crowd.gather(true)) return report.add("error", "not all could join");
  crowd.start();
  Measure measure(loop, options, crowd.tally);
  measure.run([]() -> std::uint64_t { return 100'000; });
  add_crowd(report, crowd);
  measure.add_to(report);
  return report;
}

Report run_connect(const Options& options) {
  Report report;
  Loop loop;
  Crowd crowd(loop, options);
  const Usage before = usage_of(options.server);
  const std::uint64_t begin = now_us();
  const double own = own_cpu();
  const bool all = crowd.gather(false);
  const double seconds = static_cast<double>(now_us() - begin) / 1e6;
  const double share = (own_cpu() - own) / seconds;
  const Usage after = usage_of(options.server);
  add_crowd(report, crowd);
  if (!all) return report.add("error", "not all could connect");
  const double cpu = after.cpu() - before.cpu();
  return report.add("done", crowd.joined())
      .add("seconds", seconds)
      .add("per_second", crowd.joined() / seconds)
      .add("server_cpu", cpu)
      .add("cpu_us_each", cpu * 1e6 / crowd.joined())
      .add("per_cpu_second", cpu > 0 ? crowd.joined() / cpu : 0)
      .add("generator_share", share);
}

Report run_idle(const Options& options) {
  Report report;
  Loop loop;
  Crowd crowd(loop, options);
  const Usage before = usage_of(options.server);
  const std::uint64_t kernel_before = kernel_bytes();
  const bool all = crowd.gather(true);
  Tally nothing;
  Measure settled(loop, options, nothing);
  settled.run([]() -> std::uint64_t { return 100'000; });
  const Usage after = usage_of(options.server);
  const std::uint64_t kernel_after = kernel_bytes();
  add_crowd(report, crowd);
  if (!all) return report.add("error", "not all could connect");
  settled.add_to(report);
  const auto each = [&](std::uint64_t from, std::uint64_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / crowd.joined();
  };
  return report.add("bytes_before", static_cast<double>(before.private_bytes))
      .add("bytes_each", each(before.private_bytes, after.private_bytes))
      .add("kernel_bytes_each", each(kernel_before, kernel_after));
}

}  // namespace payam::bench
