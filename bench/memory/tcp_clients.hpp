// A Socket.IO server behind the real HTTP server, on one shard whose loop the caller turns, and clients with real sockets that
// say what they must and read nothing. One thread: what one connection leaves in memory can be counted to the byte.
#pragma once

#include <vector>

#include "base/descriptor.hpp"
#include "http/server/server.hpp"
#include "payam/sio/server.hpp"
#include "runtime/shard.hpp"

namespace payam::bench {

class TcpClients {
 public:
  TcpClients();
  ~TcpClients();

  sio::Server& io() { return io_; }

  // Opens `count` websockets and joins each to the namespace `/`.
  void open(std::size_t count);

 private:
  void settle();
  void say(std::size_t first, std::string_view bytes);

  asio::io_context context_{1};
  Shard shard_{0, context_};
  sio::Server io_{{&shard_}, {}};
  http::Server server_;
  std::vector<Descriptor> sockets_;
};

}  // namespace payam::bench
