// gzip (RFC 1952) for responses worth it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace payam::http {

std::string gzip(std::string_view text);

// Compresses the body if the request accepts that, the content is text, and it is neither small nor so large that the shard
// would be held up. Leaves alone what has an ETag, a coding or a range of its own.
void compress(const Request& request, Response& response);

}  // namespace payam::http
