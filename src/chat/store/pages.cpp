#include "chat/store/pages.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>

#include "base/json_string.hpp"
#include "base/utf8.hpp"

namespace payam::chat {
namespace {

// The fields that have about the same length in every one, their names included.
constexpr std::size_t kMessageBytes = 400, kUploadBytes = 300, kEntryBytes = 200, kReactionBytes = 30, kRoleBytes = 20;

std::size_t bytes_of(const std::optional<std::string>& text) { return text ? json_string_size(*text) + 1 : 0; }

std::size_t bytes_of(const Participant& participant) { return bytes_of(participant.email); }

std::size_t bytes_of(const std::vector<Participant>& participants) {
  std::size_t bytes = 0;
  for (const Participant& one : participants) bytes += bytes_of(one);
  return bytes;
}

}  // namespace

HistoryRange history_range(const HistoryQuery& query, Seq newest_seq) {
  const std::int64_t newest = newest_seq.value;
  const std::int64_t limit = query.limit;
  const std::int64_t seq = std::clamp<std::int64_t>(query.seq.value, 0, newest + 1);
  std::int64_t first = 1;
  std::int64_t last = newest;
  std::int64_t middle = newest;
  switch (query.from) {
    case HistoryQuery::From::newest: first = newest - limit + 1; break;
    case HistoryQuery::From::before:
      last = seq - 1;
      first = last - limit + 1;
      middle = last;
      break;
    case HistoryQuery::From::after:
      first = seq + 1;
      middle = seq;
      last = first + limit - 1;
      break;
    case HistoryQuery::From::around:
      last = std::min(std::max<std::int64_t>(1, seq - limit / 2) + limit - 1, newest);
      first = last - limit + 1;
      middle = std::clamp<std::int64_t>(seq, first, last);
      break;
  }
  return {Seq{std::max<std::int64_t>(1, first)}, Seq{std::min(last, newest)}, Seq{std::min(middle, newest)}, newest_seq};
}

HistoryQuery newest_in_room(int messages) {
  return {.from = HistoryQuery::From::newest, .seq = {}, .limit = messages, .bytes = kPageBytes / 2};
}

HistoryPage fill_page(const HistoryRange& range, std::size_t bytes, const NextMessage& older, const NextMessage& newer) {
  PageBytes page(bytes);
  std::vector<Message> down, up;
  bool more_down = true, more_up = true;
  while (more_down || more_up) {
    const bool goes_down = more_down && (!more_up || down.size() <= up.size());
    auto next = goes_down ? older() : newer();
    if (!next) {
      (goes_down ? more_down : more_up) = false;
      continue;
    }
    if (!page.take(bytes_of(*next))) break;
    (goes_down ? down : up).push_back(std::move(*next));
  }
  HistoryPage result;
  result.messages.reserve(down.size() + up.size());
  std::ranges::move(down.rbegin(), down.rend(), std::back_inserter(result.messages));
  std::ranges::move(up, std::back_inserter(result.messages));
  const Seq first = result.messages.empty() ? range.first : result.messages.front().seq;
  const Seq last = result.messages.empty() ? range.last : result.messages.back().seq;
  result.has_older = first > Seq{1} && range.newest > Seq{0};
  result.has_newer = last < range.newest;
  return result;
}

std::size_t bytes_of(const Message& message) {
  std::size_t bytes =
      kMessageBytes + json_string_size(message.content) + bytes_of(message.sender) + bytes_of(message.client_id);
  // The name is in the address too, percent-encoded.
  for (const Upload& upload : message.attachments) bytes += kUploadBytes + 4 * json_string_size(upload.name);
  for (const std::string& mention : message.mentions) bytes += json_string_size(mention) + 1;
  for (const Reaction& reaction : message.reactions) {
    bytes += kReactionBytes + reaction.emoji.size();
    for (const std::string& user : reaction.users) bytes += json_string_size(user) + 1;
  }
  return bytes;
}

std::size_t bytes_of(const Entry& entry) {
  const auto body = [](const auto& one) {
    std::size_t bytes = 0;
    if constexpr (requires { one.message; }) bytes += bytes_of(one.message);
    if constexpr (requires { one.members; }) bytes += bytes_of(one.members);
    if constexpr (requires { one.member; }) bytes += bytes_of(one.member) + kRoleBytes;
    if constexpr (requires { one.name; }) bytes += json_string_size(one.name);
    if constexpr (requires { one.topic; }) bytes += json_string_size(one.topic);
    return bytes;
  };
  return kEntryBytes + bytes_of(entry.actor_email) + std::visit(body, entry.body);
}

std::size_t bytes_of(const CatchUp& page) {
  std::size_t bytes = 0;
  for (const Message& message : page.messages) bytes += bytes_of(message);
  for (const Entry& entry : page.changes) bytes += bytes_of(entry);
  return bytes;
}

std::size_t bytes_of(const SearchHit& hit) {
  constexpr std::size_t kHighlightBytes = 15;  // [12345,12345],
  return bytes_of(hit.message) + hit.highlights.size() * kHighlightBytes;
}

std::int64_t ReadSteps::next() const {
  constexpr std::int64_t kFirst = 32, kMost = 250;
  constexpr std::size_t kBytes = kPageBytes / 2;
  if (count_ == 0) return kFirst;
  const auto average = bytes_ / static_cast<std::size_t>(count_) + 1;
  return std::clamp(static_cast<std::int64_t>(kBytes / average), std::int64_t{1}, kMost);
}

void ReadSteps::note(std::int64_t count, std::size_t bytes) {
  count_ += count;
  bytes_ += bytes;
}

void cut_for_list(Message& message) {
  constexpr std::size_t kCodePoints = 500;
  message.content.resize(utf8_prefix(message.content, kCodePoints).size());
}

void drop_updates_of(Seq seq, std::vector<Entry>& changes) {
  std::erase_if(changes, [seq](const Entry& entry) {
    const auto* updated = std::get_if<MessageUpdated>(&entry.body);
    return updated != nullptr && updated->message.seq == seq;
  });
}

}  // namespace payam::chat
