// A million sessions, each with a socket and three rooms, over in-memory streams: what one holds, what their heartbeats cost a
// second, and one broadcast to all. `bench-million [--sessions N] [--seconds S] [--browser]`; prints one line of JSON.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "load/report.hpp"
#include "load/usage.hpp"
#include "memory/allocations.hpp"
#include "memory/clients.hpp"
#include "payam/sio/server.hpp"

namespace payam::bench {
namespace {

struct Settings {
  std::size_t sessions = 1'000'000;
  int seconds = 25;  // of heartbeats: a whole interval by default
  bool browser = false;
};

// What the loop took from now until nothing was left to do.
struct Stretch {
  double wall, cpu;
};
Stretch settle(Clients& clients) {
  const SteadyTime begin = steady_now();
  const double cpu = own_cpu();
  clients.settle();
  return {std::chrono::duration<double>(steady_now() - begin).count(), own_cpu() - cpu};
}

Report run(const Settings& settings) {
  Clients clients;
  sio::Server io({&clients.shard()}, {});
  std::size_t next = 0;
  io.on_connection([&next](const sio::SocketPtr& socket) {
    const std::size_t number = next++;
    socket->join("small-" + std::to_string(number / 20));
    socket->join("middle-" + std::to_string(number / 200));
    socket->join("large-" + std::to_string(number / 1000));
  });
  io.attach(clients.router());

  const auto headers = settings.browser ? Clients::Headers::browser : Clients::Headers::few;
  clients.open(1000, headers);  // what the first ones need once and for all is not theirs
  const Allocations before = allocations();
  const std::uint64_t resident_before = usage_of(getpid()).private_bytes;
  const double opening = own_cpu();
  clients.open(settings.sessions, headers);
  const auto sessions = static_cast<double>(settings.sessions);
  Report report;
  report.add("sessions", sessions)
      .add("bytes_each", static_cast<double>(allocations().bytes - before.bytes) / sessions)
      .add("resident_bytes_each", static_cast<double>(usage_of(getpid()).private_bytes - resident_before) / sessions)
      .add("open_us_each", (own_cpu() - opening) * 1e6 / sessions);

  clients.reset();
  const double beating = own_cpu();
  clients.run_for(std::chrono::seconds(settings.seconds));
  report.add("pings", static_cast<double>(clients.traffic().pings))
      .add("heartbeat_cpu_a_second", (own_cpu() - beating) / settings.seconds);

  clients.reset();
  io.emit("broadcast_message", "to all");
  const Stretch first = settle(clients);  // every connection makes room for its first packet
  io.emit("broadcast_message", "to all");
  clients.reset();
  const Stretch broadcast = settle(clients);
  return report.add("broadcast_writes", static_cast<double>(clients.traffic().writes))
      .add("first_broadcast_seconds", first.wall)
      .add("broadcast_seconds", broadcast.wall)
      .add("broadcast_cpu_us_each", broadcast.cpu * 1e6 / (sessions + 1000))
      .add("bytes_each_afterwards", static_cast<double>(allocations().bytes - before.bytes) / sessions)
      .add("still_open", static_cast<double>(io.counters().connections_open));
}

}  // namespace
}  // namespace payam::bench

int main(int argc, char** argv) {
  payam::bench::Settings settings;
  CLI::App app("A million sessions in memory.");
  app.add_option("--sessions", settings.sessions, "how many")->capture_default_str();
  app.add_option("--seconds", settings.seconds, "of heartbeats")->capture_default_str();
  app.add_flag("--browser", settings.browser, "requests with a browser's headers");
  CLI11_PARSE(app, argc, argv);
  std::printf("%s\n", payam::bench::run(settings).json().c_str());
  std::fflush(stdout);
  std::_Exit(0);  // taking a million sessions down again shows nothing
}
