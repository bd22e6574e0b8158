// A room as its log makes it: what the rooms document says up to its `rev`, and the entries after it. Reading a room applies
// what a writer that died left unapplied (schema.hpp).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/model.hpp"
#include "chat/store/mongo/documents.hpp"
#include "chat/store/mongo/schema.hpp"

namespace payam::chat::mongo {

struct LogState {
  Room room;  // with the rev and the last seq reached
  Timestamp active_at{};
  bool deleted = false;
  Rev applied;  // the rooms document's `rev`, or an older one of it
  // Read markers that their owners' own messages moved, not written yet.
  std::unordered_map<UserId, Seq> markers;

  bool exists() const { return room.rev > Rev{0}; }
};

// What the rooms document says; without the tail. A room that is not there has rev 0.
LogState read_room(Connection& connection, const RoomId& room);
LogState room_from(View document);
// Entries after `rev`, ascending and without a gap; messages without their text. All there are, whoever wrote them.
std::vector<Document> read_tail(Connection& connection, const RoomId& room, Rev rev);

// One room, with its tail folded and applied; nullopt if there is none or it is deleted.
std::optional<LogState> current_room(Connection& connection, const RoomId& room);
// The rooms a user is a member of, likewise.
std::vector<LogState> current_rooms(Connection& connection, const std::vector<RoomId>& rooms);

// Brings rooms, members and messages up to an entry that is no message. May be done twice, and late.
void apply(Connection& connection, View entry);
// Takes the next entry into the state.
void fold(LogState& state, const StoredEntry& entry);
// Writes the markers and then how far all is applied.
void write_checkpoint(Connection& connection, LogState& state);

// Takes its uses of these uploads from a message, or all but these.
enum class Uses : std::uint8_t { these, all_but_these };
void release_uploads(Connection& connection, const MessageId& message, const std::vector<UploadId>& uploads, Uses which);

struct StoredMember {
  UserId user;
  Role role = Role::member;
  bool active = false;
  Seq read_seq;
  std::optional<Seq> hidden_seq;
  std::optional<Rev> removed_rev;  // when someone else last removed them
  Timestamp joined_at{};
  bool erased = false;  // the room was told so
};
StoredMember member_from(View document);
std::optional<StoredMember> find_member(Connection& connection, const RoomId& room, const UserId& user);  // also former ones
// Active ones, by e-mail, with the state's unwritten markers.
std::vector<Member> read_members(Connection& connection, const LogState& state);

}  // namespace payam::chat::mongo
