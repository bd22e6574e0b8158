// Load for a Socket.IO server: see bench/README.md for what the server has to implement and how to read the result.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>

#include "load/scenarios.hpp"

int main(int argc, char** argv) {
  using namespace payam::bench;
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const Options options = parse_options(argc, argv);
  Report report;
  switch (options.scenario) {
    case Scenario::fan_out:
    case Scenario::rate:
    case Scenario::flood: report = run_broadcast(options); break;
    case Scenario::echo: report = run_echo(options); break;
    case Scenario::connect: report = run_connect(options); break;
    case Scenario::idle: report = run_idle(options); break;
  }
  report.add("scenario", to_string(options.scenario));
  std::printf("%s\n", report.json().c_str());
  return report.json().find("\"error\"") == std::string::npos ? 0 : 1;
}
