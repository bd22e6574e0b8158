#include "chat/store/pages.hpp"

#include <algorithm>

namespace payam::chat {

HistoryRange history_range(const HistoryQuery& query, Seq newest_seq) {
  const std::int64_t newest = newest_seq.value;
  const std::int64_t limit = query.limit;
  const std::int64_t seq = std::clamp<std::int64_t>(query.seq.value, 0, newest + 1);
  std::int64_t first = 1;
  std::int64_t last = newest;
  switch (query.from) {
    case HistoryQuery::From::newest: first = newest - limit + 1; break;
    case HistoryQuery::From::before:
      last = seq - 1;
      first = last - limit + 1;
      break;
    case HistoryQuery::From::after:
      first = seq + 1;
      last = first + limit - 1;
      break;
    case HistoryQuery::From::around:
      last = std::min(std::max<std::int64_t>(1, seq - limit / 2) + limit - 1, newest);
      first = last - limit + 1;
      break;
  }
  first = std::max<std::int64_t>(1, first);
  last = std::min(last, newest);
  return {Seq{first}, Seq{last}, first > 1 && newest > 0, last < newest};
}

std::size_t bytes_of(const Entry& entry) {
  constexpr std::size_t kParticipantBytes = 64;  // with an e-mail
  if (const auto* created = std::get_if<RoomCreated>(&entry.body)) return created->members.size() * kParticipantBytes;
  if (const auto* added = std::get_if<MembersAdded>(&entry.body)) return added->members.size() * kParticipantBytes;
  if (const auto* updated = std::get_if<MessageUpdated>(&entry.body)) return updated->message.content.size();
  return kParticipantBytes;
}

void drop_updates_of(Seq seq, std::vector<Entry>& changes) {
  std::erase_if(changes, [seq](const Entry& entry) {
    const auto* updated = std::get_if<MessageUpdated>(&entry.body);
    return updated != nullptr && updated->message.seq == seq;
  });
}

}  // namespace payam::chat
