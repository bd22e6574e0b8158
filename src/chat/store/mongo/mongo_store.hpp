// The store for more than one node: a MongoDB-compatible database. How it keeps the store's promises stands in schema.hpp.
#pragma once

#include <memory>

#include "chat/store/mongo/client.hpp"
#include "chat/store/mongo/schema.hpp"
#include "chat/store/store.hpp"
#include "chat/store/waiting_changes.hpp"

namespace payam::chat {

struct MongoOptions {
  mongo::Client::Options client;
  WaitingChanges::Limits writer_queue = {};
  std::size_t calls_a_user = 200;  // that wait for a thread; one more is refused
  Millis tend_every{250};          // read markers and search in arrears at most this long
  SearchEffort search_effort{};
  Millis search_patience{5'000};            // until a search has its turn, and until it has taken in what the index lacks
  Millis purge_delay = mongo::kPurgeDelay;  // of deleted rooms
};

// Throws std::runtime_error, with a text for the operator, if the url is none. A database that is away is no error: every call
// throws mongo::Outage until it is there, and the first that reaches it makes the indexes. Whoever waits for the store must
// have been answered before its end.
std::unique_ptr<Store> open_mongo_store(const MongoOptions& options);

}  // namespace payam::chat
