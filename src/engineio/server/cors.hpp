// Cross-origin requests (the Fetch standard's CORS protocol) as Options::Cors wants them.
#pragma once

#include "engineio/server/server.hpp"
#include "http/message.hpp"

namespace payam::eio {

// The headers every response to this request carries.
void add_cors_headers(const Options::Cors& cors, const http::Request& request, http::Headers& headers);

// The answer to OPTIONS: 204.
http::Response answer_preflight(const Options::Cors& cors, const http::Request& request);

}  // namespace payam::eio
