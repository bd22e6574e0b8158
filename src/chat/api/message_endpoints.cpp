// Contract section 3: sending and history.
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
using http::Method;
using http::Reply;

// `sender` and `timestamp`, which the original service took, are ignored like every other field.
struct SendRequest {
  Content content;
  std::optional<ClientId> client_id;
  std::optional<IdText> reply_to;
  std::optional<Attachments> attachments;
};
BOOST_DESCRIBE_STRUCT(SendRequest, (), (content, client_id, reply_to, attachments))
struct SendInput {
  RoomPath path;
  SendRequest body;
};

struct HistoryParameters {
  http::Default<http::Integer<1, 500>, 100> limit;
  std::optional<http::Integer<0>> before;
  std::optional<http::Integer<0>> after;
  std::optional<http::Integer<0>> around;

  std::optional<std::string> check() const {
    if ((before ? 1 : 0) + (after ? 1 : 0) + (around ? 1 : 0) > 1) return "only one of before, after and around may be given";
    return std::nullopt;
  }
};
BOOST_DESCRIBE_STRUCT(HistoryParameters, (), (limit, before, after, around))
struct HistoryInput {
  RoomPath path;
  HistoryParameters query;
};

HistoryQuery history_query(const HistoryParameters& parameters) {
  using From = HistoryQuery::From;
  const int limit = static_cast<int>(*parameters.limit);
  if (parameters.before) return {From::before, Seq{**parameters.before}, limit};
  if (parameters.after) return {From::after, Seq{**parameters.after}, limit};
  if (parameters.around) return {From::around, Seq{**parameters.around}, limit};
  return {From::newest, {}, limit};
}

// RFC 8288: where the pages beside this one are.
void add_links(http::Headers& headers, const RoomId& room, int limit, const HistoryPage& page) {
  if (page.messages.empty()) return;
  const auto target = [&](std::string_view cursor, Seq seq) {
    return fmt::format("/chat/chat_rooms/{}/messages?limit={}&{}={}", http::percent_encode(room.str()), limit, cursor,
                       seq.value);
  };
  std::vector<std::pair<std::string, std::string>> links;
  if (page.has_older) links.emplace_back(target("before", page.messages.front().seq), "prev");
  if (page.has_newer) links.emplace_back(target("after", page.messages.back().seq), "next");
  if (!links.empty()) headers.add("Link", http::link_value(links));
}

}  // namespace

void add_message_endpoints(Api& api, Services& services) {
  add_limited<SendInput>(
      api, services, Act::send,
      {.method = Method::post,
       .path = "/chat/chat_rooms/{id}/messages",
       .summary = "Send a message",
       .tag = "messages",
       .description = "With `client_id` a retry is safe: it gives the first message, and nothing is sent again.",
       .status = 201,
       .replies = {{200, "The message an earlier try with this client_id has sent"},
                   {400, "An attachment that is not the sender's, or an answer to a message that is not in the room"},
                   kNoSuchRoom}},
      [&services](Call call, SendInput in) -> Task<Answer<MessageReply>> {
        Draft draft{.room = in.path.id, .content = *in.body.content, .client_id = {}, .reply_to = {}, .attachments = {}};
        if (in.body.client_id) draft.client_id = **in.body.client_id;
        if (in.body.reply_to) draft.reply_to.emplace(**in.body.reply_to);
        if (in.body.attachments) {
          for (const auto& id : **in.body.attachments) draft.attachments.emplace_back(*id);
        }
        const auto sent = co_await services.messages.send(call.identity.user, std::move(draft));
        if (!sent) co_return std::unexpected(sent.error());
        co_return Reply<MessageReply>(sent->repeated ? 200 : 201, message_reply(sent->message));
      });

  add_limited<HistoryInput>(
      api, services, Act::list,
      {.method = Method::get,
       .path = "/chat/chat_rooms/{id}/messages",
       .summary = "A page of a room's history",
       .tag = "messages",
       .description = "Ascending `seq`; without a cursor the newest. At most `limit` messages and about 1 MiB: those "
                      "next to the cursor. The `Link` header names the page before (`prev`) and the one "
                      "after (`next`).",
       .replies = {kNoSuchRoom}},
      [&services](Call call, HistoryInput in) -> Task<Answer<std::vector<MessageReply>>> {
        const HistoryQuery query = history_query(in.query);
        const auto page = co_await services.messages.history(in.path.id, call.identity.user, query);
        if (!page) co_return std::unexpected(page.error());
        Reply<std::vector<MessageReply>> reply(message_replies(page->messages));
        add_links(reply.headers, in.path.id, query.limit, *page);
        co_return reply;
      });
}

}  // namespace payam::chat::api
