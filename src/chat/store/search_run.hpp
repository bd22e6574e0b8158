// One search on its way through what an index offers, newest first: what it finds, and when it has done enough. The same for
// every store.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>

#include "base/clock.hpp"
#include "chat/model.hpp"
#include "chat/search/query.hpp"
#include "chat/store/pages.hpp"

namespace payam::chat {

class SearchRun {
 public:
  // `stop`: nobody waits for it any more.
  SearchRun(const SearchQuery& query, const SearchEffort& effort, std::stop_token stop);

  const search::Query& words() const { return words_; }
  SteadyTime until() const { return until_; }
  // Out of time, or not wanted any more.
  bool is_over() const { return stop_.stop_requested() || steady_now() >= until_; }

  // Whether to read the next message that the index offers. Once false, the page ends before it.
  bool goes_on();
  // What is at the place that was offered; nullopt if there is no message. Once false, the page ends before it.
  bool look_at(std::optional<Message> message);

  // Ends the page before what was not looked at. Throws Overloaded if that is nothing: there is no message to go on from.
  SearchPage cut_off();
  // The index has nothing more.
  SearchPage finish() { return std::move(page_); }

 private:
  const std::size_t limit_;
  const std::size_t most_bytes_;  // compared
  const SteadyTime until_;
  const std::stop_token stop_;
  const search::Query words_;
  SearchPage page_;
  PageBytes page_bytes_;
  std::size_t compared_ = 0;  // bytes
  std::optional<MessageId> last_;
};

}  // namespace payam::chat
