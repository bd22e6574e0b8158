// How random tokens that clients show again (refresh tokens, invites) are kept. Being random, they need no salt and no
// slowness.
#pragma once

#include <string>
#include <string_view>

namespace payam::chat {

std::string hash_secret(std::string_view token);  // SHA-256, base64url

}  // namespace payam::chat
