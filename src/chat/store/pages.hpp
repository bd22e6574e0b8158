// What both stores do alike when they fill a page.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "chat/model.hpp"

namespace payam::chat {

// `seq` has no gaps, so every page of history is a range known before reading; empty if first is after last.
struct HistoryRange {
  Seq first, last;
  Seq middle;  // it is read from here downwards, and from the next one upwards
  Seq newest;  // of the room
};
HistoryRange history_range(const HistoryQuery& query, Seq newest);
// What a room brings along.
HistoryQuery newest_in_room(int messages);

// Gives the next message of one side of a range; nullopt at its end.
using NextMessage = std::function<std::optional<Message>()>;
// Reads no further than the page goes, but for one message.
HistoryPage fill_page(const HistoryRange& range, std::size_t bytes, const NextMessage& older, const NextMessage& newer);

// About what they take in a reply, as JSON.
std::size_t bytes_of(const Message& message);
std::size_t bytes_of(const Entry& entry);
std::size_t bytes_of(const CatchUp& page);
std::size_t bytes_of(const SearchHit& hit);

// What a page still takes. The first always fits.
class PageBytes {
 public:
  explicit PageBytes(std::size_t limit) : limit_(limit) {}

  // False: it is for the next page, and so is all that comes after it.
  bool take(std::size_t bytes) {
    if (used_ > 0 && bytes > limit_ - std::min(used_, limit_)) return false;
    used_ += bytes;
    return true;
  }

 private:
  const std::size_t limit_;
  std::size_t used_ = 0;
};

// How many to read at a time of what may be long or short: few at first, then by the average so far.
class ReadSteps {
 public:
  std::int64_t next() const;
  void note(std::int64_t count, std::size_t bytes);

 private:
  std::int64_t count_ = 0;
  std::size_t bytes_ = 0;
};

// Of a message that stands in a list of rooms, 500 code points of its content are enough.
void cut_for_list(Message& message);

// Before an entry that says all they did: takes away those on the message with this seq.
void drop_updates_of(Seq seq, std::vector<Entry>& changes);

}  // namespace payam::chat
