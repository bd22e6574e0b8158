// What the options say about the HTTP server.
#pragma once

#include "chat/app/options.hpp"
#include "http/server/server.hpp"

namespace payam::chat {

http::ServerOptions server_options(const Options& options);

// Throws std::runtime_error with a line for the operator if the address cannot be had.
void start_listening(http::Server& server, const Options& options);

}  // namespace payam::chat
