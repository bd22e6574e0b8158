// What people wrote, by its words: a database of its own beside the chat's, in which everything can be made anew from the
// chat's log and nothing needs to be durable. It follows each room by `rev`, like a client that comes back.
//
// A term is kept with its room before it, so that what a search costs depends on the searcher's rooms alone. The index may be
// behind and then offers a message that has changed: each is read and compared again before it is given.
//
// All functions want a connection that has both databases, under whatever names.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// Brings the tables of the database attached as `schema` into being; what another version of the index or of Unicode wrote is
// dropped.
void prepare_search_index(Database& database, std::string_view schema);

// Takes in a part of what the room's log has after what was taken in, within the caller's transaction; true if there may be
// more. What is known of a room that is no more is removed, bit by bit.
bool follow_room(Database& database, const RoomId& room);

// Rooms whose log the index has not reached the end of, and rooms that are no more.
std::vector<RoomId> lagging_rooms(Database& database);

// As Store::search() has it, over what the index has taken in.
Result<SearchPage> search(Database& database, const UserId& viewer, const SearchQuery& query, const SearchEffort& effort,
                          std::stop_token stop);

}  // namespace payam::chat::sqlite
