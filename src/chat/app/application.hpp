// The whole server, put together: the only place that knows every part. Members are built in the order of their dependence and
// end in the opposite one.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "chat/app/options.hpp"
#include "chat/store/mongo/client.hpp"
#include "chat/store/store.hpp"

namespace payam::chat {

class Application {
 public:
  // Opens the data directory or the database, the store and the keys; throws std::runtime_error with a line for the operator,
  // Unavailable if the database is away. `database` is what open_database() gave; it outlives this. A `store` takes the place
  // of the one that the options choose: tests keep theirs in memory.
  Application(const Options& options, mongo::Client* database, std::unique_ptr<Store> store = nullptr);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Listens. Throws std::runtime_error if the address cannot be had.
  void start();
  std::uint16_t port() const;

  // http::Server's: serves a connected socket, with or without start(); how many connections are open.
  void adopt(Descriptor socket);
  std::size_t connections() const;

  // What is to be done now and then, kReloadTime apart at most: takes over keys that were rotated, removes what torn uploads
  // left and uploads that nobody needs, ends sessions that nobody uses. What fails is logged by its name and tried again the
  // next time. Blocks on the disk or the database: not on a shard.
  void tend();

  // Takes no new work, tells everyone, and waits for what is under way, at most `limit`. Not on a shard.
  void stop(Millis limit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace payam::chat
