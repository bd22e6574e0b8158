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

// A refresh token that was used. For a while (rules::kRefreshGrace) it still leads to the session's newest: a second tab may
// have sent it at the same moment, or the answer to it was lost.
struct UsedToken {
  std::string hash;  // as Session::refresh_hash
  Timestamp at{};    // of its first use
  std::string next;  // what it was exchanged for, sealed under the used token: it opens for whoever shows that one

  bool operator==(const UsedToken&) const = default;
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
  std::vector<UsedToken> used{};  // the first used first, rules::kMostUsedTokens at most

  bool operator==(const Session&) const = default;
};

// What came of presenting a refresh token.
enum class RefreshUse : std::uint8_t {
  current,  // the session's newest: another takes its place
  again,    // one used a moment ago: it leads to the newest, nothing changes
  reuse,    // any other: someone has a copy; the session is ended
};

// A refresh token presented, and the one to take its place if it is the session's newest. No text holds white space.
struct Rotation {
  std::string presented_hash;
  std::string next_hash;
  std::string sealed_next;  // under the presented token
};
struct Rotated {
  RefreshUse use = RefreshUse::reuse;
  Session session;  // as it is now; of a reuse as it was
};

// A link by which one joins a room. The token itself is with those who have the link.
struct Invite {
  std::string token_hash;  // SHA-256, base64url
  RoomId room;
  UserId creator;
  Timestamp created_at{};
  std::optional<Timestamp> expires_at;
  std::optional<int> uses_left;  // nullopt: any number

  bool operator==(const Invite&) const = default;
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
// One direct room a pair, also under a race: the second comer gets the first one's room, shown to them again if they hid it.
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
struct JoinByInvite {
  std::string token_hash;
  UserId user;
  Timestamp at{};
};
struct ChangeRole {
  RoomId room;
  UserId actor;
  std::string email;
  Role role = Role::member;
  Timestamp at{};
};
// What is not given stays.
struct UpdateRoom {
  RoomId room;
  UserId actor;
  std::optional<std::string> name, topic;
  Timestamp at{};
};
struct DeleteRoom {
  RoomId room;
  UserId actor;
  Timestamp at{};
};

// A message by its id, and in this room if one is given.
struct MessageRef {
  MessageId id;
  std::optional<RoomId> room;
};
struct EditMessage {
  MessageRef message;
  UserId actor;
  std::string content;
  Timestamp at{};
};
// Leaves a tombstone: the content, its mentions, attachments and reactions are gone.
struct DeleteMessage {
  MessageRef message;
  UserId actor;
  Timestamp at{};
};
struct React {
  MessageRef message;
  UserId actor;
  std::string emoji;  // one, checked before
  bool on = true;
  Timestamp at{};
};
struct PinMessage {
  MessageRef message;
  UserId actor;
  bool on = true;
  Timestamp at{};
};
using Change = std::variant<SendMessage, CreateRoom, OpenDirect, AddMembers, RemoveMember, JoinByInvite, ChangeRole, UpdateRoom,
                            DeleteRoom, EditMessage, DeleteMessage, React, PinMessage>;

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
// An edit, a deletion, a reaction or a pin.
struct MessageUpdated {
  Message message;  // from commit() as of the entry, from changes_after() in its present state

  bool operator==(const MessageUpdated&) const = default;
};
struct MembersAdded {
  std::vector<Participant> members;  // who came, in the order asked for; by an invite the actor

  bool operator==(const MembersAdded&) const = default;
};
struct MemberRemoved {
  Participant member;

  bool operator==(const MemberRemoved&) const = default;
};
// The account of someone who is or was in the room is erased, and so is the membership: their messages have no sender from here
// on, their reactions and mentions are gone. Of none of these messages is there an entry; `member` is named by commit() alone.
struct AccountErased {
  Participant member;

  bool operator==(const AccountErased&) const = default;
};
struct RoleChanged {
  Participant member;  // with the new role

  bool operator==(const RoleChanged&) const = default;
};
struct RoomUpdated {
  std::string name;  // both as of the entry
  std::string topic;

  bool operator==(const RoomUpdated&) const = default;
};
// The room's last entry; told by commit() alone, for nobody is left who could ask.
struct RoomDeleted {
  bool operator==(const RoomDeleted&) const = default;
};
using EntryBody = std::variant<RoomCreated, MessageAdded, MessageUpdated, MembersAdded, MemberRemoved, AccountErased,
                               RoleChanged, RoomUpdated, RoomDeleted>;

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
  // room that was there); where all was already as asked (members, a role, a name, an edit, a reaction, a pin) it says the
  // present state at the room's present rev.
  bool repeated = false;
  // The room after the change, for every change but to messages; of a deleted room as it last was.
  std::optional<RoomState> after;

  bool operator==(const Commit&) const = default;
};

// Why a value was refused stands in base/error.hpp; the texts a client sees stand once, in rules.hpp.

// A reply holds about as much at most: of a list that may be long the contract says how to go on.
inline constexpr std::size_t kPageBytes = 1 << 20;

struct HistoryQuery {
  enum class From : std::uint8_t { newest, before, after, around };
  From from = From::newest;
  Seq seq;          // for the last three; not included, but for `around`
  int limit = 100;  // 1 to 500
  std::size_t bytes = kPageBytes;
};
// The messages next to the query's seq that fit, one at least; those about `around` to both sides alike.
struct HistoryPage {
  std::vector<Message> messages;  // ascending seq
  bool has_older = false;
  bool has_newer = false;
};

// Messages of `text`'s words (search/query.hpp), in one room or all of the viewer's.
struct SearchQuery {
  std::string text;
  std::optional<RoomId> room;
  std::optional<MessageId> before;  // only what is older than this one
  int limit = 50;                   // 1 to 100
  std::size_t bytes = kPageBytes;
};
// Code points of a message's content, from `start` on.
struct Highlight {
  std::size_t start = 0;
  std::size_t length = 0;

  bool operator==(const Highlight&) const = default;
};
struct SearchHit {
  Message message;
  std::vector<Highlight> highlights;  // ascending and apart

  bool operator==(const SearchHit&) const = default;
};
struct SearchPage {
  std::vector<SearchHit> hits;  // newest first
  // Where there may be more: `before` of the page that goes on. A search that took too much ends early, even without hits.
  std::optional<MessageId> next;
};
// What one search may cost; then it ends with what it has.
struct SearchEffort {
  std::size_t bytes = 8 << 20;  // of messages that are compared
  Millis time{2'000};
};

struct PinQuery {
  Seq after;  // only later ones
  int limit = 500;
  std::size_t bytes = kPageBytes;
};
struct PinPage {
  std::vector<Message> messages;  // ascending seq
  bool more = false;
};

// What happened after a point, for a client that comes back.
struct CatchUpLimit {
  int entries = 500;
  std::size_t bytes = kPageBytes;  // of all in it, about; the first always fits
};
// Of a message that was changed more than once after the point, or added after it, only one entry or message is given: its
// present state holds all.
struct CatchUp {
  // Reached by this page, to go on from; the room's last when `more` is false. A message's own rev may lie beyond.
  Seq seq;
  Rev rev;
  std::vector<Message> messages;  // new ones, in their present state, ascending seq
  std::vector<Entry> changes;     // every other entry, ascending rev; empty when asked by seq
  bool more = false;
};

// How far someone has read a room.
struct ReadMarker {
  Seq seq;
  bool moved = false;  // by this call
};

struct RoomView {
  Room room;
  std::vector<Member> members;    // by e-mail
  std::vector<Message> messages;  // the newest that fit half a page, ascending
};
struct RoomSummary {
  Room room;
  std::int64_t unread_count = 0;
  std::optional<Message> last_message;  // its content cut: pages.hpp
  std::optional<User> other;            // of a direct room; nullopt once erased
};

}  // namespace payam::chat
