// The HTTP responses of the polling transport and of refusals.
#pragma once

#include <string>
#include <string_view>

#include "engineio/handshake.hpp"
#include "engineio/packet.hpp"
#include "http/message.hpp"

namespace payam::eio {

http::Response poll_response(Payload payload);
http::Response post_response();

// 400, or 403 for `forbidden`: JSON with the code.
http::Response refusal_response(Refusal refusal, std::string_view message = {});
// To a request for a websocket: 400, the bare message as text, and the connection is closed.
http::Response upgrade_refusal_response(Refusal refusal, std::string_view message = {});

}  // namespace payam::eio
