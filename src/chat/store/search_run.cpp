#include "chat/store/search_run.hpp"

#include <utility>

#include "runtime/unavailable.hpp"

namespace payam::chat {

SearchRun::SearchRun(const SearchQuery& query, const SearchEffort& effort, std::stop_token stop)
    : limit_(static_cast<std::size_t>(query.limit)),
      most_bytes_(effort.bytes),
      until_(steady_now() + effort.time),
      stop_(std::move(stop)),
      words_(query.text),
      page_bytes_(query.bytes) {}

bool SearchRun::goes_on() {
  if (page_.hits.size() >= limit_) return false;
  // One message is looked at in any case, so that who goes on from page to page arrives.
  return !last_ || (compared_ < most_bytes_ && !is_over());
}

bool SearchRun::look_at(std::optional<Message> message) {
  constexpr std::size_t kReading = 200;  // what it takes to read a message, in bytes compared
  compared_ += kReading;
  if (!message) return true;
  compared_ += message->content.size();
  MessageId id = message->id;
  if (auto highlights = words_.match(message->content)) {
    SearchHit hit{std::move(*message), std::move(*highlights)};
    if (!page_bytes_.take(bytes_of(hit))) return false;
    page_.hits.push_back(std::move(hit));
  }
  last_ = std::move(id);
  return true;
}

SearchPage SearchRun::cut_off() {
  if (!last_) throw Overloaded("the search took too long");
  page_.next = std::move(last_);
  return std::move(page_);
}

}  // namespace payam::chat
