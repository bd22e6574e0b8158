// What clients see of the model, REST and events alike: the fields of contract sections 2 to 5. Built by api/replies.cpp from
// the model; written, and described in the OpenAPI document, by the codec.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/model.hpp"
#include "http/codec/fields.hpp"

namespace payam::chat {

BOOST_DESCRIBE_ENUM(RoomKind, group, direct)
BOOST_DESCRIBE_ENUM(Role, member, admin, owner)

namespace api {

struct ProfileReply {
  UserId id;
  std::string username;
  std::string email;
  std::optional<std::string> full_name;
};
BOOST_DESCRIBE_STRUCT(ProfileReply, (), (id, username, email, full_name))

struct UploadReply {
  std::string file_url;
  UploadId id;
  std::string name;
  std::uint64_t size = 0;
  std::string content_type;
  http::Maybe<int> width, height;
};
BOOST_DESCRIBE_STRUCT(UploadReply, (), (file_url, id, name, size, content_type, width, height))

struct ReactionReply {
  std::string emoji;
  std::vector<std::string> users;
};
BOOST_DESCRIBE_STRUCT(ReactionReply, (), (emoji, users))

struct MessageReply {
  MessageId id;
  RoomId room_id;
  Seq seq;
  Rev rev;
  std::optional<std::string> sender;
  std::string content;
  Timestamp timestamp{};
  std::optional<std::string> client_id;
  std::optional<MessageId> reply_to;
  std::vector<UploadReply> attachments;
  std::vector<std::string> mentions;
  std::optional<Timestamp> edited_at;
  bool deleted = false;
  bool pinned = false;
  std::vector<ReactionReply> reactions;
};
BOOST_DESCRIBE_STRUCT(MessageReply, (),
                      (id, room_id, seq, rev, sender, content, timestamp, client_id, reply_to, attachments, mentions, edited_at,
                       deleted, pinned, reactions))

// One entry of a room's log that is not a new message. `members` are the e-mails it is about: all at the creation (of a group
// its `actor` is the owner), those who came, the one who went or has a new role. Who has no account any more is not named:
// after an `account_erased` without a name a client reads anew what it keeps of the room, as messages of any age have no sender
// now; one that is told live sees whose they are.
enum class ChangeType {
  room_created,
  members_added,
  member_removed,
  account_erased,
  role_changed,
  room_updated,
  room_deleted,
  message_updated
};
BOOST_DESCRIBE_ENUM(ChangeType, room_created, members_added, member_removed, account_erased, role_changed, room_updated,
                    room_deleted, message_updated)

struct ChangeReply {
  Rev rev;
  ChangeType type{};
  Timestamp at{};
  std::optional<std::string> actor;  // e-mail
  std::vector<std::string> members;
  http::Maybe<RoomKind> kind;         // of room_created
  http::Maybe<Role> role;             // of role_changed
  http::Maybe<std::string> name;      // of room_created and room_updated
  http::Maybe<std::string> topic;     // of room_updated
  http::Maybe<MessageReply> message;  // of message_updated
};
BOOST_DESCRIBE_STRUCT(ChangeReply, (), (rev, type, at, actor, members, kind, role, name, topic, message))

struct RoomReply {
  RoomId id;
  RoomKind kind{};
  std::string name;
  std::string topic;
  Timestamp created_at{};
  std::vector<std::string> members;
  std::map<std::string, Role> roles;  // by e-mail
  Rev rev;
  Seq last_seq;
  std::vector<MessageReply> messages;  // the newest, ascending
};
BOOST_DESCRIBE_STRUCT(RoomReply, (), (id, kind, name, topic, created_at, members, roles, rev, last_seq, messages))

// The same without messages.
struct RoomStateReply {
  RoomId id;
  RoomKind kind{};
  std::string name;
  std::string topic;
  Timestamp created_at{};
  std::vector<std::string> members;
  std::map<std::string, Role> roles;
  Rev rev;
  Seq last_seq;
};
BOOST_DESCRIBE_STRUCT(RoomStateReply, (), (id, kind, name, topic, created_at, members, roles, rev, last_seq))

struct RoomSummaryReply {
  RoomId id;
  std::string name;
  std::string topic;
  Timestamp created_at{};
  std::int64_t unread_count = 0;
  std::optional<MessageReply> last_message;
  Rev rev;
  Seq last_seq;
};
BOOST_DESCRIBE_STRUCT(RoomSummaryReply, (), (id, name, topic, created_at, unread_count, last_message, rev, last_seq))

struct PrivateChatReply {
  RoomId id;
  std::optional<std::string> other_user_email;  // null once the account is erased
  bool is_online = false;
  std::optional<Timestamp> last_seen;
  std::int64_t unread_count = 0;
  std::optional<MessageReply> last_message;
  Rev rev;
  Seq last_seq;
};
BOOST_DESCRIBE_STRUCT(PrivateChatReply, (),
                      (id, other_user_email, is_online, last_seen, unread_count, last_message, rev, last_seq))

// Where a read marker is.
struct ReadReply {
  RoomId room;
  Seq seq;
};
BOOST_DESCRIBE_STRUCT(ReadReply, (), (room, seq))

struct InviteReply {
  std::string token;
  RoomId room_id;
  Timestamp created_at{};
  std::optional<Timestamp> expires_at;
  std::optional<int> uses_left;
};
BOOST_DESCRIBE_STRUCT(InviteReply, (), (token, room_id, created_at, expires_at, uses_left))

ProfileReply profile_reply(const User& user);
UploadReply upload_reply(const Upload& upload);
MessageReply message_reply(const Message& message);
std::vector<MessageReply> message_replies(const std::vector<Message>& messages);
RoomReply room_reply(const Room& room, const std::vector<Member>& members, const std::vector<Message>& messages);
RoomStateReply room_state_reply(const RoomState& state);
RoomSummaryReply room_summary_reply(const RoomSummary& summary);

// nullopt for a message, which is sent as itself.
std::optional<ChangeReply> change_reply(const Entry& entry);
std::vector<ChangeReply> change_replies(const std::vector<Entry>& entries);

}  // namespace api
}  // namespace payam::chat
