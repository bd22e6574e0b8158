// edit_message, delete_message, react: contract section 5. Everyone in the room gets `message_updated`.
#include <boost/describe/class.hpp>

#include "chat/api/event_call.hpp"
#include "chat/api/field_types.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/replies.hpp"

namespace payam::chat::api {
namespace {

struct EditRequest {
  IdText id;
  Content message;
};
BOOST_DESCRIBE_STRUCT(EditRequest, (), (id, message))

struct DeleteRequest {
  IdText id;
};
BOOST_DESCRIBE_STRUCT(DeleteRequest, (), (id))

struct ReactRequest {
  IdText id;
  Emoji emoji;
  bool on = false;
};
BOOST_DESCRIBE_STRUCT(ReactRequest, (), (id, emoji, on))

MessageRef message_of(const IdText& id) { return {MessageId(*id), std::nullopt}; }

Result<MessageReply> reply_of(Result<Message> message) {
  if (!message) return std::unexpected(std::move(message.error()));
  return message_reply(*message);
}

}  // namespace

// Nothing is awaited before a change is on its way to the store: what a socket asks for happens in the order of asking.
void add_message_update_events(EventApi& events, Services& services) {
  events.on<EditRequest>(
      {.name = "edit_message", .summary = "Changes the text of a message of one's own", .act = Act::send},
      [&services](EventCall call, EditRequest request) -> Task<Result<MessageReply>> {
        auto content = std::move(*request.message);
        co_return reply_of(co_await services.messages.edit(call.principal.user, message_of(request.id), std::move(content)));
      });
  events.on<DeleteRequest>(
      {.name = "delete_message", .summary = "Deletes a message; a tombstone stays in its place", .act = Act::send},
      [&services](EventCall call, DeleteRequest request) -> Task<Result<MessageReply>> {
        co_return reply_of(co_await services.messages.erase(call.principal.user, message_of(request.id)));
      });
  events.on<ReactRequest>({.name = "react", .summary = "Sets or takes back a reaction", .act = Act::send},
                          [&services](EventCall call, ReactRequest request) -> Task<Result<MessageReply>> {
                            auto emoji = std::move(*request.emoji);
                            co_return reply_of(co_await services.messages.react(call.principal.user, message_of(request.id),
                                                                                std::move(emoji), request.on));
                          });
}

}  // namespace payam::chat::api
