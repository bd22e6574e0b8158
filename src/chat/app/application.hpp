// The whole server, put together: the only place that knows every part. Members are built in the order of their dependence and
// end in the opposite one.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "chat/app/options.hpp"

namespace payam::chat {

class Application {
 public:
  // Opens the data directory, the store and the keys; throws std::runtime_error with a line for the operator.
  explicit Application(const Options& options);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Listens. Throws std::runtime_error if the address cannot be had.
  void start();
  std::uint16_t port() const;

  // Takes over keys that were rotated. Blocks on the disk: not on a shard.
  void refresh_keys(const Options& options);

  // Takes no new work, tells everyone, and waits for what is under way, at most `limit`. Not on a shard.
  void stop(Millis limit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace payam::chat
