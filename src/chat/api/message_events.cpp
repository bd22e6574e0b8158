// chat_message: contract section 5.
#include <boost/describe/class.hpp>

#include "chat/api/event_call.hpp"
#include "chat/api/field_types.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/realtime_events.hpp"

namespace payam::chat::api {
namespace {

struct ChatMessageRequest {
  IdText room;
  Content message;
  std::optional<ClientId> client_id;
  std::optional<IdText> reply_to;
  std::optional<Attachments> attachments;
};
BOOST_DESCRIBE_STRUCT(ChatMessageRequest, (), (room, message, client_id, reply_to, attachments))

}  // namespace

void add_message_events(EventApi& events, Services& services) {
  // Nothing is awaited before the message is on its way to the store: so what a socket sends is stored in the order of sending.
  events.on<ChatMessageRequest>(
      {.name = "chat_message",
       .summary = "Sends a message",
       .description = "Acknowledged once it is durable. A retry with the same `client_id` gives the first message.",
       .act = Act::send},
      [&services](EventCall call, ChatMessageRequest request) -> Task<Result<MessageReply>> {
        Draft draft{
            .room = RoomId(*request.room), .content = *request.message, .client_id = {}, .reply_to = {}, .attachments = {}};
        if (request.client_id) draft.client_id = **request.client_id;
        if (request.reply_to) draft.reply_to.emplace(**request.reply_to);
        if (request.attachments) {
          for (const auto& id : **request.attachments) draft.attachments.emplace_back(*id);
        }
        const auto sent = co_await services.messages.send(call.principal.user, std::move(draft));
        if (!sent) co_return std::unexpected(sent.error());
        if (!call.wants_ack) {
          emit<ChatResponse>(*call.socket, {.message = sent->message.content});
        }
        co_return message_reply(sent->message);
      });
}

}  // namespace payam::chat::api
