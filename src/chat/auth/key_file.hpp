// The signing key on disk. Blocks on the disk: at start only.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "chat/auth/token_key.hpp"

namespace payam::chat {

// Reads a private key. Refused, with a text that says what to do: no such file, others than the owner may read it, not a key.
Result<TokenKey> read_key_file(const std::filesystem::path& file);

// Reads `file`, or makes a key there first, mode 0600 in a directory 0700: whole or not at all, also if two start at once or
// the machine stops in between.
Result<TokenKey> read_or_make_key_file(const std::filesystem::path& file);

}  // namespace payam::chat
