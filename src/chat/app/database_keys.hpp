// The signing keys of a server on MongoDB: in the database, so that every node has them, sealed under SECRET_KEY
// (auth/sealed.hpp).
//
//   signing_keys {_id: 1, 2, 3…, kid, sealed, at}
//
// The highest number signs. A key of before verifies until the last token it can have signed is over: `lifetime` after its
// successor was made, and the time a server may take to notice. Who makes a key inserts the next number, so of several at once
// one wins and the others read what it made. Blocks; throws mongo::Outage.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "chat/app/signing_keys.hpp"
#include "chat/store/mongo/client.hpp"

namespace payam::chat {

inline constexpr const char* kKeyCollection = "signing_keys";

// Makes the first key if there is none at all; never over one that is there. Refused, with a text for the operator: SECRET_KEY
// is not the one the keys were sealed under.
Result<SigningKeys> read_or_make_database_keys(mongo::Connection& connection, const std::string& secret_key,
                                               std::chrono::seconds lifetime, Timestamp now);

// The new key's id.
Result<std::string> rotate_database_key(mongo::Connection& connection, const std::string& secret_key, Timestamp now);

// Keys from elsewhere into a database that has none: `key` signs, the others were retired at their `until`, ascending.
void write_database_keys(mongo::Connection& connection, const std::string& secret_key, const TokenKey& key,
                         const std::vector<RetiredKey>& retired, Timestamp now);

}  // namespace payam::chat
