// The Socket.IO half of sio-conformance.
#pragma once

#include <memory>
#include <vector>

#include "payam/sio/server.hpp"

namespace payam::conformance {

// `/socket.io/`: the server the protocol's own test suite expects, namespaces `/` and `/custom`.
std::unique_ptr<sio::Server> make_socketio_server(std::vector<Shard*> shards);

}  // namespace payam::conformance
