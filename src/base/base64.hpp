// Base64 (RFC 4648): section 4 with padding for Engine.IO payloads, section 5 (URL-safe) without padding for JWTs and ids.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payam {

std::string base64_encode(std::string_view bytes);
void base64_encode_to(std::string& out, std::string_view bytes);

// Strict but for padding, which may be missing (JavaScript clients leave it out at times); nullopt for a bad character,
// a bad length or bits left over.
std::optional<std::string> base64_decode(std::string_view text);

std::string base64url_encode(std::string_view bytes);

// Strict: no padding, no other alphabet, no bits left over, so that one value has one text.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace payam
