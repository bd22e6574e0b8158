// The keys that sign tokens, as the options say: SECRET_KEY itself, a file of the operator's, or ours, made at first start and
// kept under DATA_DIR or in MongoDB. They block on the disk or the database: not on a shard.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/app/options.hpp"
#include "chat/auth/token.hpp"

namespace payam::chat {

namespace mongo {
class Client;
}

struct SigningKeys {
  TokenKey key;
  std::vector<RetiredKey> retired;
};

// The errors' texts are lines for the operator. `database` is null unless options.on_mongodb(); then they throw mongo::Outage.
Result<SigningKeys> read_signing_keys(const Options& options, mongo::Client* database, Timestamp now);
// `payam rotate-key`: gives the new key's id. A running server notices by itself (kReloadTime).
Result<std::string> rotate_signing_key(const Options& options, mongo::Client* database, Timestamp now);

// `payam invite`: a token good for one sign-up, for a week. A rotation of the key ends it.
inline constexpr std::chrono::days kInviteLifetime{7};
Result<std::string> make_signup_invite(const Options& options, mongo::Client* database, Timestamp now);

}  // namespace payam::chat
