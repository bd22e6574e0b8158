// sio-conformance: the servers the Engine.IO and Socket.IO test suites want, on one port.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "conformance/engineio_servers.hpp"
#include "conformance/soak_server.hpp"
#include "conformance/socketio_servers.hpp"
#include "http/server/server.hpp"
#include "runtime/shard_set.hpp"

namespace {

constexpr payam::Millis kStopLimit{5'000};

// Before any thread starts, so that all leave these signals to wait_for_stop().
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

int run(const std::string& host, std::uint16_t port, int threads) {
  const sigset_t signals = block_stop_signals();
  payam::ShardSet shard_set(threads);
  std::vector<payam::Shard*> shards;
  for (int i = 0; i < shard_set.size(); ++i) shards.push_back(&shard_set[i]);

  const auto echo = payam::conformance::make_echo_server(shards);
  const auto commands = payam::conformance::make_command_server(shards);
  const auto version_3 = payam::conformance::make_version_3_server(shards);
  const auto socketio = payam::conformance::make_socketio_server(shards);
  const auto soak = payam::conformance::make_soak_server(shards);
  payam::http::Router router;
  echo->attach(router, "/engine.io/");
  commands->attach(router, "/engine.io-commands/");
  version_3->attach(router, "/engine.io-3/");
  socketio->attach(router);
  soak->attach(router);
  payam::conformance::add_soak_state(router, *soak);

  payam::http::ServerOptions options;
  options.host = host;
  options.port = port;
  payam::http::Server server(shards, std::move(router), std::move(options));
  server.start();
  fmt::print("listening on {}:{}\n", host, server.port());
  std::fflush(stdout);

  wait_for_stop(signals);
  server.stop();
  for (auto* io : {socketio.get(), soak.get()}) io->close();
  for (auto* engine : {echo.get(), commands.get(), version_3.get()}) engine->shutdown();
  for (auto* engine : {echo.get(), commands.get(), version_3.get()}) engine->wait(kStopLimit);
  for (auto* io : {socketio.get(), soak.get()}) io->wait(kStopLimit);
  server.wait(kStopLimit);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Payam's protocol servers, for the test suites of Engine.IO and Socket.IO");
  std::string host = "127.0.0.1";
  std::uint16_t port = 3000;
  int threads = 1;
  app.add_option("--host", host, "address to listen on")->capture_default_str();
  app.add_option("--port", port, "port to listen on, 0 for any")->capture_default_str();
  app.add_option("--threads", threads, "threads that serve connections")->capture_default_str()->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  try {
    return run(host, port, threads);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sio-conformance: {}\n", error.what());
    return 1;
  }
}
