// What both stores do alike when they fill a page.
#pragma once

#include <cstddef>
#include <vector>

#include "chat/model.hpp"

namespace payam::chat {

// `seq` has no gaps, so every page of history is a range known before reading; empty if first is after last.
struct HistoryRange {
  Seq first, last;
  bool has_older = false;
  bool has_newer = false;
};
HistoryRange history_range(const HistoryQuery& query, Seq newest);

// About what an entry weighs in an answer.
std::size_t bytes_of(const Entry& entry);

// Before an entry that says all they did: takes away those on the message with this seq.
void drop_updates_of(Seq seq, std::vector<Entry>& changes);

}  // namespace payam::chat
