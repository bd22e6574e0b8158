// What the options say about the HTTP server.
#pragma once

#include "base/budget.hpp"
#include "chat/app/options.hpp"
#include "http/server/server.hpp"

namespace payam::chat {

// Bounds on connections that leave some of the process's descriptors to files, the database, and what is accepted only to be
// refused; and of those for connections half to other addresses, where an address has a bound.
Budget::Bounds within_descriptors(Budget::Bounds connections, std::uint64_t descriptors);

http::ServerOptions server_options(const Options& options);

// Throws std::runtime_error with a line for the operator if the address cannot be had.
void start_listening(http::Server& server, const Options& options);

}  // namespace payam::chat
