// Which messages hold which words: one document a message, `{_id: place, room, order, state, terms: ["room term", …]}`, under
// one multikey index. The room is a part of each term, so a common word never reads other people's rooms.
//
// The index follows the logs: search_rooms says up to which rev a room is taken in. Who searches takes in what is missing
// first, so it may run behind, whoever wrote; several may take in the same entries. Of two states of a message the later one
// stays.
#pragma once

#include <stop_token>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/mongo/room_log.hpp"

namespace payam::chat::mongo {

// Takes in what the index lacks of a room. Throws Overloaded when `until` passes.
void index_room(Connection& connection, const LogState& room, SteadyTime until);

// As Store::search(); `patience` bounds the taking in.
Result<SearchPage> search(Connection& connection, const UserId& viewer, const SearchQuery& query, const SearchEffort& effort,
                          Millis patience, std::stop_token stop);

}  // namespace payam::chat::mongo
