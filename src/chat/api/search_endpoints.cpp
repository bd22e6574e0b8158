// Contract section 3: GET /chat/search.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;

struct SearchParameters {
  http::Text<1, 200> q;
  std::optional<IdText> room_id;
  std::optional<IdText> before;
  http::Default<http::Integer<1, 100>, 50> limit;
};
BOOST_DESCRIBE_STRUCT(SearchParameters, (), (q, room_id, before, limit))
struct SearchInput {
  SearchParameters query;
};

// A message, and where in its content the words are: [start, length] in code points.
struct FoundMessageReply : MessageReply {
  std::vector<std::vector<std::uint64_t>> highlights;
};
BOOST_DESCRIBE_STRUCT(FoundMessageReply, (MessageReply), (highlights))

FoundMessageReply found_message_reply(const SearchHit& hit) {
  FoundMessageReply reply{message_reply(hit.message), {}};
  for (const Highlight& highlight : hit.highlights) reply.highlights.push_back({highlight.start, highlight.length});
  return reply;
}

}  // namespace

void add_search_endpoints(Api& api, Services& services) {
  add_limited<SearchInput>(
      api, services, Act::join,
      {.method = Method::get,
       .path = "/chat/search",
       .summary = "Find messages by their words",
       .tag = "messages",
       .description =
           "In all my rooms or one, newest first; for the next page `before` is the last one's id. All words must be "
           "there, in any order, the last one as the beginning of a word. Case, diacritics, the letter forms and "
           "digits of Persian and Arabic, and how their words are joined do not matter. `highlights` are "
           "`[start, length]` in code points of `content`.",
       .replies = {{404, "The room is not yours, or there is no message `before`"}, {503, "The index is behind; try again"}}},
      [&services](Call call, SearchInput in) -> Task<Answer<std::vector<FoundMessageReply>>> {
        SearchQuery query{.text = *in.query.q, .room = {}, .before = {}, .limit = static_cast<int>(*in.query.limit)};
        if (in.query.room_id) query.room.emplace(**in.query.room_id);
        if (in.query.before) query.before.emplace(**in.query.before);
        const auto hits = co_await services.messages.search(call.identity.user, std::move(query));
        if (!hits) co_return std::unexpected(hits.error());
        std::vector<FoundMessageReply> replies;
        for (const SearchHit& hit : *hits) replies.push_back(found_message_reply(hit));
        co_return replies;
      });
}

}  // namespace payam::chat::api
