#include "load/probe.hpp"

namespace payam::bench {

constexpr std::uint64_t kInterval = 20'000;  // microseconds

void Probe::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Probe::run() {
  Loop loop;
  const auto client = Client::make(loop, *this, options_, false, 0);
  if (!client->connect()) return;
  while (!stopping_) {
    const std::uint64_t now = now_us();
    if (client->ready() && !waiting_ && now >= sent_at_ + kInterval) ping(*client);
    loop.turn(waiting_ || !client->ready() ? kInterval : kInterval - std::min(kInterval - 1, now - sent_at_));
  }
}

void Probe::ping(Client& client) {
  waiting_ = true;
  sent_at_ = now_us();
  client.send("427[\"echo\",{\"text\":\"are you there\"}]");
}

void Probe::on_ack(Client&, std::string_view) {
  waiting_ = false;
  if (counting_) latency_.add(now_us() - sent_at_);
}

}  // namespace payam::bench
