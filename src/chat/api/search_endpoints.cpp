// Contract section 3: GET /chat/search.
#include <fmt/format.h>

#include <boost/describe/class.hpp>
#include <stop_token>

#include "base/network.hpp"
#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/search/query.hpp"
#include "http/header_value.hpp"
#include "http/percent.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Reply;

struct SearchParameters {
  http::Text<1, 200> q;
  std::optional<IdText> room_id;
  std::optional<IdText> before;
  http::Default<http::Integer<1, 100>, 50> limit;

  std::optional<std::string> check() const {
    if (search::Query(*q).words() <= search::kMostWords) return std::nullopt;
    return fmt::format("at most {} different words may be searched for", search::kMostWords);
  }
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

std::string next_page(const SearchParameters& asked, const MessageId& before) {
  std::string target = fmt::format("/chat/search?q={}&limit={}", http::percent_encode(*asked.q), *asked.limit);
  if (asked.room_id) target += "&room_id=" + http::percent_encode(**asked.room_id);
  return target + "&before=" + http::percent_encode(before.str());
}

// Asks the search to end when the connection does.
std::stop_token stop_when_gone(http::Request& request) {
  std::stop_source gone;
  request.on_abort = [gone]() mutable { gone.request_stop(); };
  return gone.get_token();
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
           "In all my rooms or one, newest first. All words must be there, in any order, the last one as the beginning of a "
           "word. Case, diacritics, the letter forms and digits of Persian and Arabic, and how their words are joined do not "
           "matter. `highlights` are `[start, length]` in code points of `content`. The `Link` header names the next page "
           "(`next`) as long as there may be more: a page ends at `limit`, at about 1 MiB, or when it has taken too much work, "
           "and may then hold less than `limit`, or nothing. At most 40 different words; four searches of a person at once.",
       .replies = {{404, "The room is not yours, or there is no message `before`"},
                   {503, "Too much is searched, or the index is behind; try again"}}},
      [&services](Call call, SearchInput in) -> Task<Answer<std::vector<FoundMessageReply>>> {
        SearchQuery query{.text = *in.query.q, .room = {}, .before = {}, .limit = static_cast<int>(*in.query.limit)};
        if (in.query.room_id) query.room.emplace(**in.query.room_id);
        if (in.query.before) query.before.emplace(**in.query.before);
        Caller caller{network_of(call.request.peer), call.identity.user.str()};
        const auto page = co_await services.messages.search(std::move(caller), std::move(query), stop_when_gone(call.request));
        if (!page) co_return std::unexpected(page.error());
        std::vector<FoundMessageReply> replies;
        for (const SearchHit& hit : page->hits) replies.push_back(found_message_reply(hit));
        Reply<std::vector<FoundMessageReply>> reply(std::move(replies));
        if (page->next) {
          const std::pair<std::string, std::string> link{next_page(in.query, *page->next), "next"};
          reply.headers.add("Link", http::link_value({&link, 1}));
        }
        co_return reply;
      });
}

}  // namespace payam::chat::api
