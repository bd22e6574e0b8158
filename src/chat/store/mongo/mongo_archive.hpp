// The database of a MongoStore as plain records (transfer.hpp).
#pragma once

#include <memory>

#include "chat/store/mongo/client.hpp"
#include "chat/store/transfer.hpp"

namespace payam::chat {

// Makes the indexes that are missing. Blocks; throws as Client does. `client` outlives it.
std::unique_ptr<transfer::Archive> open_mongo_archive(mongo::Client& client);

}  // namespace payam::chat
