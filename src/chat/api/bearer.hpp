// The token in a request (RFC 6750 section 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payam::chat::api {

// From `Bearer <token>`; the scheme's name without case. nullopt for anything else.
std::optional<std::string> bearer_token(std::optional<std::string_view> authorization);

// One cookie of a Cookie header.
std::optional<std::string> cookie(std::optional<std::string_view> header, std::string_view name);

}  // namespace payam::chat::api
