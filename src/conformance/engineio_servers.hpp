// The Engine.IO half of sio-conformance.
#pragma once

#include <memory>
#include <vector>

#include "engineio/server/server.hpp"

namespace payam::conformance {

// `/engine.io/`: the server the protocol's own test suite expects, an echo with fast heartbeats.
std::unique_ptr<eio::Server> make_echo_server(std::vector<Shard*> shards);

// `/engine.io-commands/`: slow heartbeats, and sessions that obey: "close" sends "last words" and closes, "burst 3" sends 0, 1,
// 2; anything else comes back. A handshake with `refuse=text` is refused with that text. Websockets are compressed if they ask
// for it.
std::unique_ptr<eio::Server> make_command_server(std::vector<Shard*> shards);

// `/engine.io-3/`: the same sessions, also for clients of version 3.
std::unique_ptr<eio::Server> make_version_3_server(std::vector<Shard*> shards);

}  // namespace payam::conformance
