// Everything a store holds as plain records, for moving it into another: what `payam migrate` reads and writes. Each backend
// has an Archive beside its store. Nothing else uses the store meanwhile.
//
// Search indexes, and what a deleted room has left, are not taken along: the first are made anew, the second is nobody's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chat/model.hpp"

namespace payam::chat::transfer {

struct UserRecord {
  UserId id;
  std::optional<std::string> email, username;  // both null: erased
  std::optional<std::string> full_name;
  std::string password_hash;
  Timestamp created_at{};
  std::optional<Timestamp> last_seen;
};
struct BlockRecord {
  UserId user, blocked;
};
using SessionRecord = Session;
using UploadRecord = Upload;
struct RoomRecord {
  Room room;
  Timestamp active_at{};                          // of what puts it first in lists
  std::optional<std::pair<UserId, UserId>> pair;  // of a direct room, the lower id first
};
struct MemberRecord {
  RoomId room;
  UserId user;
  Role role = Role::member;
  Seq read_seq;
  std::optional<Seq> hidden_seq;  // a direct room is not in the user's list until a later message
  Timestamp joined_at{};
};
// Who was last removed by someone else, and when.
struct RemovalRecord {
  RoomId room;
  UserId user;
  Rev rev;
};
struct InviteRecord {
  Invite invite;
  Rev rev;  // the room's, when it was made
};
// An entry of the log that is no message's. The numbers are those of the stores' own schemas.
struct EntryRecord {
  enum class Kind : std::uint8_t {
    room_created = 1,
    members_added = 2,
    member_removed = 3,
    message_updated = 4,
    role_changed = 5,
    room_updated = 6,
    account_erased = 8,
  };
  struct Subject {
    Seq seq;
    MessageId id;
    Rev first_rev;
  };
  RoomId room;
  Rev rev;
  Kind kind = Kind::room_created;
  Seq seq;  // the room's last one as of this entry
  Timestamp at{};
  UserId actor;
  std::optional<Subject> subject;          // the message that was changed
  std::optional<std::string> name, topic;  // the room's, as of an entry about it
  std::vector<std::pair<UserId, Role>> named;
};
// In its present state; also the log's entry `first_rev`.
struct MessageRecord {
  struct Reacted {
    std::string emoji;
    UserId user;
  };
  RoomId room;
  Seq seq;
  MessageId id;
  Rev first_rev, rev;
  UserId sender;
  Timestamp at{};
  std::string content;
  std::optional<std::string> client_id;
  std::optional<MessageId> reply_to;
  std::optional<Timestamp> edited_at;
  bool deleted = false;
  bool pinned = false;
  std::vector<Reacted> reactions;  // in order of reacting
  std::vector<UserId> mentions;
  std::vector<UploadId> attachments;
  std::vector<UploadId> links;  // uploads the text merely links to, by id
};

// In the order in which one refers to another.
using Record = std::variant<UserRecord, BlockRecord, SessionRecord, UploadRecord, RoomRecord, MemberRecord, RemovalRecord,
                            InviteRecord, EntryRecord, MessageRecord>;
inline constexpr std::size_t kKinds = std::variant_size_v<Record>;
inline constexpr std::array<std::string_view, kKinds> kKindNames{"users",   "blocks",   "sessions", "uploads",     "rooms",
                                                                 "members", "removals", "invites",  "log entries", "messages"};

class Archive {
 public:
  virtual ~Archive() = default;

  // Every record, those of one kind after those before it in Record, of a room's log and messages in order. Blocks; throws what
  // the backend throws.
  virtual void read(const std::function<void(Record)>& take) = 0;

  // Durable when it returns. A record that is there already (by its id, or its place in a room) stays as it is, so that a
  // transfer that was killed is simply made again. What a record refers to is there, or comes in the same call; a room given
  // together with all that belongs to it is there whole or, after being killed, not seen.
  virtual void put(std::span<const Record> records) = 0;
};

// How many records there are of each kind, and a hash over all of them that does not depend on their order.
struct Digest {
  struct Kind {
    std::uint64_t count = 0;
    std::array<std::uint64_t, 4> sum{};  // of the records' SHA-256, as four numbers

    bool operator==(const Kind&) const = default;
    std::string hex() const;  // a few characters to show
  };
  std::array<Kind, kKinds> kinds;

  void add(const Record& record);
  bool operator==(const Digest&) const = default;
};

// One text a record, the same from every backend.
std::string canonical(const Record& record);

}  // namespace payam::chat::transfer
