// Unpredictable bytes for ids, tokens and keys; thread-safe. Throws std::runtime_error if the system has none.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace payam {

void random_bytes(std::span<unsigned char> out);

// `bytes` random bytes as URL-safe base64 without padding: 15 bytes give 20 characters.
std::string random_token(std::size_t bytes);

}  // namespace payam
