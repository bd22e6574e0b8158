// What the database holds, and why it stays whole without transactions.
//
// Collections (a unique index is marked !, another one *):
//   log           _id! "room/rev", place!, id!, client!: each room's entries, rev 1, 2, 3… A message's entry is the message,
//                 in its present state; every other kind says what happened.
//   rooms         _id! room: the log's fold up to `rev`, and the room's name and kind
//   members       _id! "room/user", room*, user*: who is a member; who was one stays, `active: false`
//   users         _id!, email!, username_key!, full_name_key*
//   sessions      _id!, user*, last_used_at*
//   blocks        _id! "user/blocked", both*
//   invites       _id! token hash, room*, creator*
//   uploads       _id!, uploader*, (used, created_at)*
//   upload_uses   _id! "upload/message", upload*, message*, room*: which messages refer to an upload
//   pins          _id! place, room*: places that were pinned once; whether they are is the message's to say
//   search_1      _id! place, terms*: search_index.hpp             search_1_rooms  _id! room
//
// An entry has: room, rev, kind, at, actor, last_seq and active_at (the room's as of this entry), and three keys that are
// unique in all the log. null would collide, so each kind fills all of them:
//   id      the message's id; of other entries one of their own
//   place   "room#seq"; of other entries their _id
//   client  "c/room/sender/client_id" of a send that has one, "pair/low/high" of a direct room's first entry; else the id
// Keys hold numbers of fixed width. As `rev` and `seq` have no gaps, every range is a list of keys known before asking, so the
// reads need no other index and no server has to scan.
//
// The invariant. Entry `rev` of a room is inserted only by a writer that knew every entry before it. Its `_id` is the fence: if
// another writer was first, the insert finds the key taken, and the writer reads the tail, judges the rules again and tries the
// next rev. So the rules were judged against exactly the state in which the entry stands, whoever else writes meanwhile: a
// member removed a moment ago by another node cannot slip a message in. A batch is one ordered insert: what stands before the
// first taken key is written, the rest is not. The insert, majority-written and journaled, is the commit; all else follows from
// the log.
//
// Present state. Entries other than messages are applied, in order, to rooms, members and messages. Each application is a
// single-document update that does nothing where the document's own `rev` (a message's `state`, a room's `about_rev`) is not
// older than the entry, so it may be done twice, by several nodes, or late. `rooms.rev` says how far everything is applied; it
// only grows, after the applying. A message needs none, but moves its sender's read marker: `members.read_seq` is written now
// and then, before `rooms.rev` passes the message.
//
// Recovery. Whoever uses a room reads rooms and the tail after its `rev`: entries found there are applied before anything else
// is read (current_room). So a writer that died between its insert and the applying leaves nothing to repair by hand. A
// writer whose insert failed, with an outage or a lost reply, does not know whether it happened: it reads the tail, and finds
// its entries by their `id` or tries again at the fence. A late insert that is still under way loses at the fence, or is found.
//
// The order in which other documents are written is such that a crash leaves too much, never too little: an upload is marked as
// used before the message that refers to it; an invite's use is taken before the entry; a new room's members stand before
// rooms. A deleted room keeps its last entry and its rooms document for ever. The rest is purged after kPurgeDelay, when every
// writer that knew the room has either looked at it again or met the fence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/model.hpp"
#include "chat/store/mongo/client.hpp"

namespace payam::chat::mongo {

inline constexpr const char* kLog = "log";
inline constexpr const char* kRooms = "rooms";
inline constexpr const char* kMembers = "members";
inline constexpr const char* kUsers = "users";
inline constexpr const char* kSessions = "sessions";
inline constexpr const char* kBlocks = "blocks";
inline constexpr const char* kInvites = "invites";
inline constexpr const char* kUploads = "uploads";
inline constexpr const char* kUploadUses = "upload_uses";
inline constexpr const char* kPins = "pins";
// The number is raised with every change of folding, terms or their documents: the index is then made anew beside the old one.
inline constexpr const char* kSearch = "search_1";
inline constexpr const char* kSearchRooms = "search_1_rooms";

inline constexpr Millis kPurgeDelay{600'000};

enum class EntryKind : std::uint8_t {
  message = 0,
  room_created = 1,
  members_added = 2,
  member_removed = 3,
  message_updated = 4,
  role_changed = 5,
  room_updated = 6,
  room_deleted = 7,
  account_erased = 8,
};

std::string entry_key(const RoomId& room, Rev rev);
std::string place_key(const RoomId& room, Seq seq);
std::string member_key(const RoomId& room, const UserId& user);
std::string use_key(const UploadId& upload, const MessageId& message);
std::string client_key(const RoomId& room, const UserId& sender, std::string_view client_id);
std::string pair_key(const UserId& one, const UserId& other);

// Makes the indexes that are missing. Throws std::runtime_error if the database was written by a newer Payam.
void prepare(Connection& connection);

// Throws OutOfStorage if the database is still full.
void write_a_little(Connection& connection);

}  // namespace payam::chat::mongo
