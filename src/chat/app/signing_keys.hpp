// The keys that sign tokens, as the options say. They block on the disk: not on a shard.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/app/options.hpp"
#include "chat/auth/token.hpp"

namespace payam::chat {

struct SigningKeys {
  TokenKey key;
  std::vector<RetiredKey> retired;
};

// The errors' texts are lines for the operator.
Result<SigningKeys> read_signing_keys(const Options& options, Timestamp now);
// `payam rotate-key`: gives the new key's id. A running server notices by itself (kReloadTime).
Result<std::string> rotate_signing_key(const Options& options);

// `payam invite`: a token good for one sign-up, for a week. A rotation of the key ends it.
inline constexpr std::chrono::days kInviteLifetime{7};
Result<std::string> make_signup_invite(const Options& options, Timestamp now);

}  // namespace payam::chat
