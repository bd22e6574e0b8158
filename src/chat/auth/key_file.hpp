// The signing keys on disk. Blocks on the disk: at start only.
#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/auth/token.hpp"
#include "chat/auth/token_key.hpp"

namespace payam::chat {

// Reads a private key. Refused, with a text that says what to do: no such file, others than the owner may read it, not a key.
Result<TokenKey> read_key_file(const std::filesystem::path& file);

// Reads `file`, or makes a key there first, mode 0600 in a directory 0700: whole or not at all, also if two start at once or
// the machine stops in between.
Result<TokenKey> read_or_make_key_file(const std::filesystem::path& file);

// How long a server may take to notice a rotation.
inline constexpr std::chrono::seconds kReloadTime{60};

// The other keys beside `current`, which verify until `lifetime` after they were last written: what a rotation leaves, or an
// operator puts there. One that is over is left out; one that cannot be read is an error.
Result<std::vector<RetiredKey>> read_retired_keys(const std::filesystem::path& directory, const std::filesystem::path& current,
                                                  std::chrono::seconds lifetime, Timestamp now);

// Makes a new key in place of `file`, whose key is kept beside it as `<kid>.pem`. In every moment `file` is whole. Gives the
// new key.
Result<TokenKey> rotate_key_file(const std::filesystem::path& file);

// Keys from elsewhere: `key` at `file`, the others beside it, each as if retired at its `until`. `file` is new, and comes last.
Result<> write_key_files(const std::filesystem::path& file, const TokenKey& key, const std::vector<RetiredKey>& retired);

}  // namespace payam::chat
