// The chat's own words: users, rooms, messages, and the log of changes that each room is. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"

namespace payam::chat {

using UserId = Id<struct UserTag>;
using RoomId = Id<struct RoomTag>;
using MessageId = Id<struct MessageTag>;
using UploadId = Id<struct UploadTag>;
using SessionId = Id<struct SessionTag>;

using Seq = Counter<struct SeqTag>;  // counts a room's messages
using Rev = Counter<struct RevTag>;  // counts every change of a room

struct User {
  UserId id;
  std::string username;
  std::string email;  // lower case; the public identity
  std::optional<std::string> full_name;
  std::string password_hash;
  Timestamp created_at{};
  std::optional<Timestamp> last_seen;

  bool operator==(const User&) const = default;
};

// A device signed in; the access token's `sid` names it.
struct Session {
  SessionId id;
  UserId user;
  std::string device;  // the user agent, shortened
  std::string address;
  std::string refresh_hash;  // SHA-256 of the refresh token, base64url
  Timestamp created_at{};
  Timestamp last_used_at{};

  bool operator==(const Session&) const = default;
};

enum class RoomKind : std::uint8_t { group, direct };
enum class Role : std::uint8_t { member, admin, owner };

struct Room {
  RoomId id;
  RoomKind kind = RoomKind::group;
  std::string name;  // empty for a direct room
  std::string topic;
  Timestamp created_at{};
  Seq last_seq;
  Rev rev;

  bool operator==(const Room&) const = default;
};

struct Member {
  UserId user;
  std::string email;
  std::string username;
  Role role = Role::member;
  Seq read_seq;  // read up to here; who is added later starts with everything read

  bool operator==(const Member&) const = default;
};

struct Upload {
  UploadId id;
  UserId uploader;
  std::string name;          // as the uploader called it, without any path
  std::string content_type;  // found in the content
  std::uint64_t size = 0;    // bytes
  std::optional<int> width, height;
  Timestamp created_at{};

  bool operator==(const Upload&) const = default;
};

struct Reaction {
  std::string emoji;
  std::vector<std::string> users;  // e-mails, in order of reacting

  bool operator==(const Reaction&) const = default;
};

// A message in its present state.
struct Message {
  MessageId id;
  RoomId room;
  Seq seq;
  Rev rev;                            // of its latest change
  std::optional<std::string> sender;  // e-mail; nullopt once the account is erased
  UserId sender_id;
  std::string content;  // empty once deleted
  Timestamp timestamp{};
  std::optional<std::string> client_id;
  std::optional<MessageId> reply_to;
  std::vector<Upload> attachments;
  std::vector<std::string> mentions;  // e-mails
  std::optional<Timestamp> edited_at;
  bool deleted = false;
  bool pinned = false;
  std::vector<Reaction> reactions;

  bool operator==(const Message&) const = default;
};

// What someone wants changed. Ids and times are made by the caller, so that a retry after an outage is the same change.
struct SendMessage {
  RoomId room;
  UserId sender;
  MessageId id;
  std::string content;  // 1 to 20,000 code points, or empty with attachments: checked before
  std::optional<std::string> client_id;
  std::optional<MessageId> reply_to;
  std::vector<UploadId> attachments;
  Timestamp at{};
};
struct CreateRoom {
  RoomId id;
  UserId creator;  // becomes owner
  std::string name;
  std::vector<std::string> member_emails;  // besides the creator; doubles are one
  Timestamp at{};
};
// One direct room a pair, also under a race: the second comer gets the first one's room.
struct OpenDirect {
  RoomId id;  // used only if the room is new
  UserId from;
  std::string to_email;
  Timestamp at{};
};
struct AddMembers {
  RoomId room;
  UserId actor;
  std::vector<std::string> emails;
  Timestamp at{};
};
// Also how one leaves: actor and member are the same.
struct RemoveMember {
  RoomId room;
  UserId actor;
  std::string email;
  Timestamp at{};
};
using Change = std::variant<SendMessage, CreateRoom, OpenDirect, AddMembers, RemoveMember>;

// Someone as an entry of the log names them.
struct Participant {
  UserId user;
  std::optional<std::string> email;  // nullopt once the account is erased
  Role role = Role::member;          // as of the entry

  bool operator==(const Participant&) const = default;
};

// What a log entry did; the same from commit() and, later, from changes_after().
struct RoomCreated {
  RoomKind kind = RoomKind::group;
  std::string name;  // as of the entry
  std::vector<Participant> members;

  bool operator==(const RoomCreated&) const = default;
};
struct MessageAdded {
  Message message;

  bool operator==(const MessageAdded&) const = default;
};
struct MembersAdded {
  std::vector<Participant> members;  // who came, in the order asked for

  bool operator==(const MembersAdded&) const = default;
};
struct MemberRemoved {
  Participant member;

  bool operator==(const MemberRemoved&) const = default;
};
using EntryBody = std::variant<RoomCreated, MessageAdded, MembersAdded, MemberRemoved>;

// One entry of a room's log: `rev` 1, 2, 3… without a gap.
struct Entry {
  RoomId room;
  Rev rev;
  Timestamp at{};
  UserId actor;
  std::optional<std::string> actor_email;
  EntryBody body;

  bool operator==(const Entry&) const = default;
};

struct RoomState {
  Room room;
  std::vector<Member> members;  // by e-mail

  bool operator==(const RoomState&) const = default;
};

// What a change came to, with all that publishing needs, so that publishing never reads the store.
struct Commit {
  Entry entry;
  // Nothing was changed, nothing is to be published. `entry` is the first one's after a retry (client_id, the same id, a direct
  // room that was there); adding only those who are members gives an entry without members and the room's present rev.
  bool repeated = false;
  std::optional<RoomState> after;  // the room after the change; for every change but a message

  bool operator==(const Commit&) const = default;
};

// Why a value was refused stands in base/error.hpp; the texts a client sees stand once, in rules.hpp.

struct HistoryQuery {
  enum class From : std::uint8_t { newest, before, after, around };
  From from = From::newest;
  Seq seq;          // for the last three; not included, but for `around`
  int limit = 100;  // 1 to 500
};
struct HistoryPage {
  std::vector<Message> messages;  // ascending seq
  bool has_older = false;
  bool has_newer = false;
};

// What happened after a point, for a client that comes back.
struct CatchUpLimit {
  int entries = 500;
  std::size_t bytes = 1 << 20;  // of content, about
};
struct CatchUp {
  // Reached by this page, to go on from; the room's last when `more` is false. A message's own rev may lie beyond.
  Seq seq;
  Rev rev;
  std::vector<Message> messages;  // new ones, in their present state, ascending seq
  std::vector<Entry> changes;     // every other entry, ascending rev; empty when asked by seq
  bool more = false;
};

struct RoomView {
  Room room;
  std::vector<Member> members;    // by e-mail
  std::vector<Message> messages;  // the newest, ascending
};
struct RoomSummary {
  Room room;
  std::int64_t unread_count = 0;
  std::optional<Message> last_message;
  std::optional<User> other;  // of a direct room; nullopt once erased
};

}  // namespace payam::chat
