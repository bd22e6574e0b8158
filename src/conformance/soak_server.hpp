// What the leak soak (tests/soak) lets clients die on, and how it looks inside.
#pragma once

#include <memory>
#include <vector>

#include "http/server/router.hpp"
#include "payam/sio/server.hpp"

namespace payam::conformance {

// `/soak/`: Socket.IO with everything that holds something for a connection (version 3, compression, recovery, rooms,
// coroutines), and with short time-outs. "message" comes back to its sender.
std::unique_ptr<sio::Server> make_soak_server(std::vector<Shard*> shards);

// `GET /soak-state`: {"memory", "connections", "opened", "sockets", "kept", "queued"}; memory is what the program has allocated
// and not given back, in bytes: 0 with an allocator that is not glibc's (sanitizers). `server` outlives the router.
void add_soak_state(http::Router& router, const sio::Server& server);

}  // namespace payam::conformance
