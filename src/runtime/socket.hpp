// What the plain and the TLS stream do with a socket alike. Private to this folder.
#pragma once

#include <optional>

#include "runtime/stream.hpp"

namespace payam {

// Without port; IPv4-mapped addresses as IPv4; the unspecified address if the peer has gone.
asio::ip::address peer_of(const TcpSocket& socket);

// Non-blocking, TCP_NODELAY.
void make_ready(TcpSocket& socket);

// Takes the descriptor to another shard; pending waits are cancelled. nullopt if it cannot be: then nothing has changed.
std::optional<TcpSocket> move_socket(TcpSocket& socket, Shard& shard);

}  // namespace payam
