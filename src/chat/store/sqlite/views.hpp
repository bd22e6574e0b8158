// What the store shows of rooms to those who may see them. Each call reads from several tables: run it within one read
// transaction, so that all of it is of one moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

Result<RoomView> find_room(Database& database, const RoomId& room, const UserId& viewer, int messages);
std::vector<RoomSummary> rooms_of(Database& database, const UserId& user, RoomKind kind);
std::vector<RoomId> room_ids_of(Database& database, const UserId& user);
bool is_member(Database& database, const RoomId& room, const UserId& user);
Result<HistoryPage> history(Database& database, const RoomId& room, const UserId& viewer, const HistoryQuery& query);
Result<CatchUp> messages_after(Database& database, const RoomId& room, const UserId& viewer, Seq seq,
                               const CatchUpLimit& limit);
Result<CatchUp> changes_after(Database& database, const RoomId& room, const UserId& viewer, Rev rev, const CatchUpLimit& limit);
Result<Message> find_message(Database& database, const MessageRef& message, const UserId& viewer);
Result<PinPage> pinned_messages(Database& database, const RoomId& room, const UserId& viewer, const PinQuery& query);
std::optional<Invite> find_invite(Database& database, const std::string& token_hash);
std::vector<UserId> contacts_of(Database& database, const UserId& user, int largest_room);
std::vector<UserId> visible_contacts_of(Database& database, const UserId& user, int largest_room);

}  // namespace payam::chat::sqlite
