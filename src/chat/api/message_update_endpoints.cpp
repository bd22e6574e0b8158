// Contract section 3: what happens to messages after they were sent.
#include <fmt/format.h>

#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/api/room_path.hpp"
#include "http/header_value.hpp"
#include "http/percent.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::DocumentedReply;
using http::Method;
using http::Reply;

const DocumentedReply kNoSuchMessage{404, "No such room, or not yours; or no such message in it"};
const DocumentedReply kDeleted{409, "The message was deleted"};

struct MessagePath {
  RoomId id;
  MessageId message_id;
};
BOOST_DESCRIBE_STRUCT(MessagePath, (), (id, message_id))
struct MessageInput {
  MessagePath path;
};
MessageRef message_at(const MessagePath& path) { return {path.message_id, path.id}; }

struct EditRequest {
  Content content;
};
BOOST_DESCRIBE_STRUCT(EditRequest, (), (content))
struct EditInput {
  MessagePath path;
  EditRequest body;
};

struct ReactionPath {
  RoomId id;
  MessageId message_id;
  Emoji emoji;
};
BOOST_DESCRIBE_STRUCT(ReactionPath, (), (id, message_id, emoji))
struct ReactionInput {
  ReactionPath path;
};

struct PinsParameters {
  std::optional<http::Integer<0>> after;
};
BOOST_DESCRIBE_STRUCT(PinsParameters, (), (after))
struct PinsInput {
  RoomPath path;
  PinsParameters query;
};

Answer<MessageReply> answer(Result<Message> message) {
  if (!message) return std::unexpected(std::move(message.error()));
  return message_reply(*message);
}

void add_content(Api& api, Services& services) {
  add_limited<EditInput>(
      api, services, Act::send,
      {.method = Method::patch,
       .path = "/chat/chat_rooms/{id}/messages/{message_id}",
       .summary = "Edit a message",
       .tag = "messages",
       .replies = {{403, "Only its author edits a message"}, kNoSuchMessage, kDeleted}},
      [&services](Call call, EditInput in) -> Task<Answer<MessageReply>> {
        auto content = std::move(*in.body.content);
        co_return answer(co_await services.messages.edit(call.identity.user, message_at(in.path), std::move(content)));
      });

  add_limited<MessageInput>(
      api, services, Act::send,
      {.method = Method::del,
       .path = "/chat/chat_rooms/{id}/messages/{message_id}",
       .summary = "Delete a message",
       .tag = "messages",
       .description = "A tombstone stays: the message with `deleted` and without content, attachments and reactions.",
       .replies = {{403, "Only its author, an admin or an owner deletes a message"}, kNoSuchMessage}},
      [&services](Call call, MessageInput in) -> Task<Answer<MessageReply>> {
        co_return answer(co_await services.messages.erase(call.identity.user, message_at(in.path)));
      });
}

void add_reactions(Api& api, Services& services) {
  for (const bool on : {true, false}) {
    add_limited<ReactionInput>(
        api, services, Act::send,
        {.method = on ? Method::put : Method::del,
         .path = "/chat/chat_rooms/{id}/messages/{message_id}/reactions/{emoji}",
         .summary = on ? "React to a message" : "Take a reaction back",
         .tag = "messages",
         .description = "One emoji, percent-encoded; one of each a user.",
         .replies = {kNoSuchMessage, {409, "The message was deleted, or has too many different reactions"}}},
        [&services, on](Call call, ReactionInput in) -> Task<Answer<MessageReply>> {
          MessageRef message{in.path.message_id, in.path.id};
          auto emoji = std::move(*in.path.emoji);
          co_return answer(co_await services.messages.react(call.identity.user, std::move(message), std::move(emoji), on));
        });
  }
}

void add_pins(Api& api, Services& services) {
  for (const bool on : {true, false}) {
    add_limited<MessageInput>(api, services, Act::send,
                              {.method = on ? Method::put : Method::del,
                               .path = "/chat/chat_rooms/{id}/messages/{message_id}/pin",
                               .summary = on ? "Pin a message" : "Unpin a message",
                               .tag = "messages",
                               .description = "Owners and admins; in a private chat both.",
                               .replies = {{403, "Only owners and admins pin messages"}, kNoSuchMessage, kDeleted}},
                              [&services, on](Call call, MessageInput in) -> Task<Answer<MessageReply>> {
                                co_return answer(co_await services.messages.pin(call.identity.user, message_at(in.path), on));
                              });
  }

  add_limited<PinsInput>(
      api, services, Act::list,
      {.method = Method::get,
       .path = "/chat/chat_rooms/{id}/pins",
       .summary = "A room's pinned messages",
       .tag = "messages",
       .description =
           "Ascending `seq`, only those after `after` if it is given. The `Link` header names the next page (`next`) where "
           "they are more than 500 or about 1 MiB.",
       .replies = {kNoSuchRoom}},
      [&services](Call call, PinsInput in) -> Task<Answer<std::vector<MessageReply>>> {
        PinQuery query;
        if (in.query.after) query.after = Seq{**in.query.after};
        const auto pinned = co_await services.messages.pinned(in.path.id, call.identity.user, query);
        if (!pinned) co_return std::unexpected(pinned.error());
        Reply<std::vector<MessageReply>> reply(message_replies(pinned->messages));
        if (pinned->more) {
          const std::pair<std::string, std::string> link{
              fmt::format("/chat/chat_rooms/{}/pins?after={}", http::percent_encode(in.path.id.str()),
                          pinned->messages.back().seq.value),
              "next"};
          reply.headers.add("Link", http::link_value({&link, 1}));
        }
        co_return reply;
      });
}

}  // namespace

void add_message_update_endpoints(Api& api, Services& services) {
  add_content(api, services);
  add_reactions(api, services);
  add_pins(api, services);
}

}  // namespace payam::chat::api
