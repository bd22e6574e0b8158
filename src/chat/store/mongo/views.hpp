// What members may read. Each view reads the room's state first (current_room), so it shows whatever was acknowledged before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/mongo/room_log.hpp"

namespace payam::chat::mongo {

// The room if `viewer` is a member: nobody else learns whether it exists.
Result<LogState> find_visible(Connection& connection, const RoomId& room, const UserId& viewer);
// Rooms in which the user's membership stands; one may be deleted.
std::vector<RoomId> member_rooms(Connection& connection, const UserId& user);
std::vector<RoomId> rooms_ever_of(Connection& connection, const UserId& user);  // those left, and deleted ones, too

// As in Store.
Result<RoomView> find_room(Connection& connection, const RoomId& room, const UserId& viewer, int messages);
std::vector<RoomSummary> rooms_of(Connection& connection, const UserId& user, RoomKind kind);
std::vector<RoomId> room_ids_of(Connection& connection, const UserId& user);
Result<HistoryPage> history(Connection& connection, const RoomId& room, const UserId& viewer, const HistoryQuery& query);
Result<CatchUp> messages_after(Connection& connection, const RoomId& room, const UserId& viewer, Seq seq,
                               const CatchUpLimit& limit);
Result<CatchUp> changes_after(Connection& connection, const RoomId& room, const UserId& viewer, Rev rev,
                              const CatchUpLimit& limit);
Result<Message> find_message(Connection& connection, const MessageRef& message, const UserId& viewer);
Result<PinPage> pinned_messages(Connection& connection, const RoomId& room, const UserId& viewer, const PinQuery& query);
Result<ReadMarker> mark_read(Connection& connection, const RoomId& room, const UserId& user, Seq seq);
Result<> hide_direct(Connection& connection, const RoomId& room, const UserId& user);
enum class Contacts : std::uint8_t { who_see_me, whom_i_see };
std::vector<UserId> contacts(Connection& connection, const UserId& user, int largest_room, Contacts which);

// Removes what a deleted room held, but for what must stay (schema.hpp).
void purge_room(Connection& connection, const RoomId& room);
std::vector<RoomId> rooms_to_purge(Connection& connection);

}  // namespace payam::chat::mongo
