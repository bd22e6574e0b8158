#include "chat/api/replies.hpp"

#include <type_traits>
#include <variant>

#include "chat/media/file_name.hpp"

namespace payam::chat::api {
namespace {

std::vector<std::string> emails(const std::vector<Participant>& participants) {
  std::vector<std::string> list;
  for (const auto& participant : participants) {
    if (participant.email) list.push_back(*participant.email);
  }
  return list;
}

// The fields that both forms of a room share.
template <class Reply>
void fill(Reply& reply, const Room& room, const std::vector<Member>& members) {
  reply.id = room.id;
  reply.kind = room.kind;
  reply.name = room.name;
  reply.topic = room.topic;
  reply.created_at = room.created_at;
  reply.rev = room.rev;
  reply.last_seq = room.last_seq;
  for (const Member& member : members) {
    reply.members.push_back(member.email);
    reply.roles.emplace(member.email, member.role);
  }
}

}  // namespace

// An empty full name is none: it is how a profile loses it.
ProfileReply profile_reply(const User& user) {
  ProfileReply reply{user.id, user.username, user.email, user.full_name};
  if (reply.full_name == "") reply.full_name.reset();
  return reply;
}

UploadReply upload_reply(const Upload& upload) {
  UploadReply reply{media_path(upload.id.str(), upload.name), upload.id, upload.name, upload.size, upload.content_type, {}, {}};
  if (upload.width) reply.width.emplace(*upload.width);
  if (upload.height) reply.height.emplace(*upload.height);
  return reply;
}

MessageReply message_reply(const Message& message) {
  MessageReply reply{.id = message.id,
                     .room_id = message.room,
                     .seq = message.seq,
                     .rev = message.rev,
                     .sender = message.sender,
                     .content = message.content,
                     .timestamp = message.timestamp,
                     .client_id = message.client_id,
                     .reply_to = message.reply_to,
                     .attachments = {},
                     .mentions = message.mentions,
                     .edited_at = message.edited_at,
                     .deleted = message.deleted,
                     .pinned = message.pinned,
                     .reactions = {}};
  for (const Upload& upload : message.attachments) reply.attachments.push_back(upload_reply(upload));
  for (const Reaction& reaction : message.reactions) reply.reactions.push_back({reaction.emoji, reaction.users});
  return reply;
}

std::vector<MessageReply> message_replies(const std::vector<Message>& messages) {
  std::vector<MessageReply> replies;
  replies.reserve(messages.size());
  for (const Message& message : messages) replies.push_back(message_reply(message));
  return replies;
}

RoomReply room_reply(const Room& room, const std::vector<Member>& members, const std::vector<Message>& messages) {
  RoomReply reply;
  fill(reply, room, members);
  reply.messages = message_replies(messages);
  return reply;
}

RoomStateReply room_state_reply(const RoomState& state) {
  RoomStateReply reply;
  fill(reply, state.room, state.members);
  return reply;
}

RoomSummaryReply room_summary_reply(const RoomSummary& summary) {
  RoomSummaryReply reply{.id = summary.room.id,
                         .name = summary.room.name,
                         .topic = summary.room.topic,
                         .created_at = summary.room.created_at,
                         .unread_count = summary.unread_count,
                         .last_message = std::nullopt,
                         .rev = summary.room.rev,
                         .last_seq = summary.room.last_seq};
  if (summary.last_message) reply.last_message = message_reply(*summary.last_message);
  return reply;
}

std::optional<ChangeReply> change_reply(const Entry& entry) {
  ChangeReply reply{.rev = entry.rev,
                    .type = {},
                    .at = entry.at,
                    .actor = entry.actor_email,
                    .members = {},
                    .kind = {},
                    .role = {},
                    .name = {},
                    .topic = {},
                    .message = {}};
  const bool is_change = std::visit(
      [&](const auto& body) {
        using Body = std::remove_cvref_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, RoomCreated>) {
          reply.type = ChangeType::room_created;
          reply.kind = body.kind;
          reply.name = body.name;
          reply.members = emails(body.members);
        } else if constexpr (std::is_same_v<Body, MembersAdded>) {
          reply.type = ChangeType::members_added;
          reply.members = emails(body.members);
        } else if constexpr (std::is_same_v<Body, MemberRemoved>) {
          reply.type = ChangeType::member_removed;
          reply.members = emails({body.member});
        } else if constexpr (std::is_same_v<Body, AccountErased>) {
          reply.type = ChangeType::account_erased;
          reply.members = emails({body.member});
        } else if constexpr (std::is_same_v<Body, RoleChanged>) {
          reply.type = ChangeType::role_changed;
          reply.members = emails({body.member});
          reply.role = body.member.role;
        } else if constexpr (std::is_same_v<Body, RoomUpdated>) {
          reply.type = ChangeType::room_updated;
          reply.name = body.name;
          reply.topic = body.topic;
        } else if constexpr (std::is_same_v<Body, RoomDeleted>) {
          reply.type = ChangeType::room_deleted;
        } else if constexpr (std::is_same_v<Body, MessageUpdated>) {
          reply.type = ChangeType::message_updated;
          reply.message = message_reply(body.message);
        } else {
          static_assert(std::is_same_v<Body, MessageAdded>);
          return false;
        }
        return true;
      },
      entry.body);
  if (!is_change) return std::nullopt;
  return reply;
}

std::vector<ChangeReply> change_replies(const std::vector<Entry>& entries) {
  std::vector<ChangeReply> replies;
  for (const Entry& entry : entries) {
    if (auto reply = change_reply(entry)) replies.push_back(std::move(*reply));
  }
  return replies;
}

}  // namespace payam::chat::api
