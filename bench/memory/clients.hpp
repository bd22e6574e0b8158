// A Socket.IO server on one shard whose loop the caller turns, and clients of it over in-memory streams. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/router.hpp"
#include "memory/memory_stream.hpp"
#include "runtime/shard.hpp"

namespace payam::bench {

// What has crossed the streams since reset().
struct Traffic {
  std::uint64_t writes = 0;  // each a system call on a socket
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pings = 0;
  std::optional<std::uint64_t> writes_before_ack;  // before the first one that holds an acknowledgement
};

class Clients final : private MemoryPeer {
 public:
  Clients();
  ~Clients();

  Shard& shard() { return shard_; }
  // To attach the server to, before the first client.
  http::Router& router() { return router_; }

  // What a client says of itself in its request: as little as a websocket needs, or as much as a browser.
  enum class Headers { few, browser };
  // Opens `count` connections and joins each to the namespace `/`.
  void open(std::size_t count, Headers headers);
  std::size_t size() const { return streams_.size(); }

  // A websocket text frame from this client.
  void say(std::size_t client, std::string_view packet);
  void set_writable(std::size_t client, bool on) { streams_[client]->set_writable(on); }
  bool is_open(std::size_t client) const { return streams_[client]->is_open(); }

  // Runs the loop until nothing is left to do now.
  void settle();
  // Runs it for a time, timers included.
  void run_for(Millis time);

  const Traffic& traffic() const { return traffic_; }
  void reset() { traffic_ = {}; }

  // Remembers where in memory what is written stands, to tell shared frames from copies.
  void watch_sources(bool on);
  const std::set<const void*>& sources() const { return sources_; }

 private:
  void on_write(MemoryStream& stream, std::span<const iovec> pieces) override;
  void connect(Headers headers);

  asio::io_context context_{1};
  Shard shard_{0, context_};
  http::Router router_;
  std::vector<std::shared_ptr<MemoryStream>> streams_;
  std::vector<std::unique_ptr<http::Request>> requests_;  // being answered
  Traffic traffic_;
  bool watching_ = false;
  std::set<const void*> sources_;
};

}  // namespace payam::bench
