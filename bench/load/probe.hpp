// A bystander: on a thread and a loop of its own it sends an event every 20 ms and times the acknowledgement, so that the
// load's own work is not in the figure.
#pragma once

#include <atomic>
#include <thread>

#include "load/client.hpp"
#include "load/histogram.hpp"

namespace payam::bench {

class Probe final : private ClientHandler {
 public:
  explicit Probe(const Options& options) : options_(options), thread_([this] { run(); }) {}
  ~Probe() { stop(); }

  // Latencies count from here on.
  void begin() { counting_ = true; }
  void stop();
  // After stop().
  const Histogram& latency() const { return latency_; }

 private:
  void run();
  void on_ready(Client& client) override { ping(client); }
  void on_ack(Client& client, std::string_view packet) override;
  void on_event(Client&, std::string_view) override {}
  void on_closed(Client&) override { stopping_ = true; }
  void ping(Client& client);

  const Options options_;
  std::atomic<bool> counting_ = false;
  std::atomic<bool> stopping_ = false;
  std::uint64_t sent_at_ = 0;
  bool waiting_ = false;
  Histogram latency_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace payam::bench
