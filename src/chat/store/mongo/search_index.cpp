#include "chat/store/mongo/search_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>

#include "chat/rules.hpp"
#include "chat/search/query.hpp"
#include "chat/store/mongo/views.hpp"
#include "chat/store/pages.hpp"
#include "chat/store/search_run.hpp"

namespace payam::chat::mongo {
namespace {

constexpr std::int64_t kStep = 200;       // entries taken in at a time
constexpr std::int64_t kPage = 100;       // messages that the index offers at a time
constexpr std::size_t kRoomsAtOnce = 20;  // in one query
constexpr std::size_t kTermsAtOnce = 1'000;

std::string term_key(const RoomId& room, std::string_view term) { return fmt::format("{} {}", room.str(), term); }

// The newest first, across rooms and whenever they were indexed; in a room by seq where times are the same.
std::string order_key(Timestamp at, const RoomId& room, Seq seq) {
  return fmt::format("{:015}/{}", std::max<std::int64_t>(0, at.time_since_epoch().count()), place_key(room, seq));
}

// A tombstone keeps its document, without words: a later state than any before.
void put(Connection& connection, const std::vector<StoredMessage>& messages) {
  std::vector<Document> fresh;
  std::vector<Update> changed;
  for (const auto& [key, first_rev, message, mentions, reactions, links] : messages) {
    Array terms;
    for (const std::string& term : search::index_terms(message.content)) terms.push(term_key(message.room, term));
    const std::string place = place_key(message.room, message.seq);
    fresh.push_back(doc("_id", place, "room", message.room, "order", order_key(message.timestamp, message.room, message.seq),
                        "state", message.rev, "terms", terms));
    if (message.rev == first_rev) continue;
    changed.push_back(
        {doc("_id", place, "state", doc("$lt", message.rev)), doc("$set", doc("state", message.rev, "terms", terms))});
  }
  if (fresh.empty()) return;
  connection.insert_missing(kSearch, fresh);
  if (!changed.empty()) connection.update(kSearch, changed);
}

// Entries after `from` up to `to`: messages that were added, and those that were changed.
void take_in(Connection& connection, const RoomId& room, Rev from, Rev to) {
  std::vector<std::string> keys, targets;
  for (Rev rev = from.next(); rev <= to; rev = rev.next()) keys.push_back(entry_key(room, rev));
  std::vector<StoredMessage> messages;
  Cursor cursor = connection.find(kLog, doc("_id", doc("$in", list(keys))));
  while (const auto entry = cursor.next()) {
    if (entry->get<EntryKind>("kind") == EntryKind::message) messages.push_back(stored_message(*entry));
    if (entry->get<EntryKind>("kind") == EntryKind::message_updated) targets.push_back(entry->get<std::string>("target"));
  }
  put(connection, messages);
  std::ranges::sort(targets);
  targets.erase(std::ranges::unique(targets).begin(), targets.end());
  put(connection, find_messages(connection, "_id", targets));
}

void index_room_from(Connection& connection, const LogState& room, Rev from, SteadyTime until) {
  const RoomId& id = room.room.id;
  if (from >= room.room.rev) return;
  connection.insert(kSearchRooms, doc("_id", id, "rev", Rev{0}));
  while (from < room.room.rev) {
    if (steady_now() > until) throw Overloaded("the search index is behind");
    const Rev to{std::min(room.room.rev.value, from.value + kStep)};
    take_in(connection, id, from, to);
    connection.update(kSearchRooms, doc("_id", id), doc("$max", doc("rev", to)));
    from = to;
  }
}

using Clauses = std::vector<search::Query::Clause>;

Document clauses_for(const RoomId& room, const Clauses& clauses) {
  Array all;
  for (const auto& clause : clauses) {
    Array any;
    for (const auto& terms : clause) {
      Array together;
      for (const auto& [text, prefix] : terms) {
        const std::string key = term_key(room, text);
        if (prefix) {
          // What begins so, as a range: terms hold no sign that a regular expression would read, yet a range needs none.
          together.push(doc("terms", doc("$elemMatch", doc("$gte", key, "$lt", key + "\U0010FFFF"))));
        } else {
          together.push(doc("terms", key));
        }
      }
      any.push(doc("$and", together));
    }
    all.push(doc("$or", any));
  }
  return doc("$and", all);
}

// The order of the message `before`.
Result<std::optional<std::string>> order_before(Connection& connection, const std::optional<MessageId>& before) {
  if (!before) return std::nullopt;
  const auto found = find_messages(connection, "id", {before->str()});
  if (found.empty()) return fail(Errc::not_found, std::string(rules::kMessageNotFound));
  const Message& message = found.front().message;
  return order_key(message.timestamp, message.room, message.seq);
}

struct Offer {
  std::string order;
  std::string place;
};

// What the index offers from some rooms, below `before`, newest first.
std::vector<Offer> next_offers(Connection& connection, const std::vector<LogState>& rooms, const Clauses& clauses,
                               const std::string& before, SteadyTime until) {
  std::size_t terms = 1;
  for (const auto& clause : clauses) {
    for (const auto& together : clause) terms += together.size();
  }
  const std::size_t rooms_at_once = std::clamp<std::size_t>(kTermsAtOnce / terms, 1, kRoomsAtOnce);
  std::vector<Offer> found;
  for (std::size_t first = 0; first < rooms.size(); first += rooms_at_once) {
    const auto left = std::chrono::ceil<Millis>(until - steady_now());
    if (left <= Millis(0)) throw Overloaded("the search took too long");
    Array any;
    for (std::size_t i = first; i < std::min(rooms.size(), first + rooms_at_once); ++i) {
      any.push(clauses_for(rooms[i].room.id, clauses));
    }
    FindOptions options;
    options.sort = doc("order", -1);
    options.projection = doc("order", 1);
    options.limit = kPage;
    options.time = left;
    Document query = doc("$or", any);
    if (!before.empty()) query.add("order", doc("$lt", before));
    Cursor cursor = connection.find(kSearch, query, options);
    while (const auto one = cursor.next()) found.push_back({one->get<std::string>("order"), one->get<std::string>("_id")});
  }
  std::ranges::sort(found, std::ranges::greater(), &Offer::order);
  if (found.size() > static_cast<std::size_t>(kPage)) found.resize(static_cast<std::size_t>(kPage));
  return found;
}

// The messages at some places, by place.
std::unordered_map<std::string, Message> read_places(Connection& connection, std::span<const Offer> offers) {
  std::vector<std::string> places;
  for (const Offer& offer : offers) places.push_back(offer.place);
  std::unordered_map<std::string, Message> messages;
  for (Message& message : finish(connection, find_messages(connection, "place", places))) {
    std::string place = place_key(message.room, message.seq);
    messages.emplace(std::move(place), std::move(message));
  }
  return messages;
}

// False: the page ends before one of these.
bool look_at(Connection& connection, std::span<const Offer> offers, SearchRun& run, ReadSteps& steps) {
  while (!offers.empty()) {
    if (!run.goes_on()) return false;
    const auto some = offers.subspan(0, std::min(offers.size(), static_cast<std::size_t>(steps.next())));
    offers = offers.subspan(some.size());
    auto messages = read_places(connection, some);
    std::size_t bytes = 0;
    for (const auto& [place, message] : messages) bytes += bytes_of(message);
    steps.note(static_cast<std::int64_t>(some.size()), bytes);
    for (const Offer& offer : some) {
      if (!run.goes_on()) return false;
      const auto found = messages.find(offer.place);
      if (!run.look_at(found == messages.end() ? std::nullopt : std::optional(std::move(found->second)))) return false;
    }
  }
  return true;
}

SearchPage go_through(Connection& connection, const std::vector<LogState>& rooms, std::string before, SearchRun& run) {
  const Clauses clauses = run.words().clauses();
  ReadSteps steps;
  for (;;) {
    std::vector<Offer> offers;
    try {
      offers = next_offers(connection, rooms, clauses, before, run.until());
    } catch (const Unavailable&) {
      // What was found on earlier pages of offers is told all the same.
      if (!run.is_over()) throw;
      return run.cut_off();
    }
    if (!look_at(connection, offers, run, steps)) return run.cut_off();
    if (offers.size() < static_cast<std::size_t>(kPage)) return run.finish();
    before = offers.back().order;
  }
}

}  // namespace

void index_room(Connection& connection, const LogState& room, SteadyTime until) {
  const auto known = connection.find_one(kSearchRooms, doc("_id", room.room.id));
  index_room_from(connection, room, known ? known->view().get<Rev>("rev") : Rev{0}, until);
}

Result<SearchPage> search(Connection& connection, const UserId& viewer, const SearchQuery& query, const SearchEffort& effort,
                          Millis patience, std::stop_token stop) {
  std::vector<LogState> rooms;
  if (query.room) {
    auto visible = find_visible(connection, *query.room, viewer);
    if (!visible) return std::unexpected(std::move(visible.error()));
    rooms.push_back(std::move(*visible));
  } else {
    rooms = current_rooms(connection, member_rooms(connection, viewer));
  }
  const auto before = order_before(connection, query.before);
  if (!before) return std::unexpected(before.error());
  if (rooms.empty() || search::Query(query.text).empty()) return SearchPage{};

  const SteadyTime until = steady_now() + patience;
  std::unordered_map<RoomId, Rev> known;
  std::vector<RoomId> keys;
  for (const LogState& room : rooms) keys.push_back(room.room.id);
  for (const Document& one : connection.find(kSearchRooms, doc("_id", doc("$in", list(keys)))).all()) {
    known[one.view().get<RoomId>("_id")] = one.view().get<Rev>("rev");
  }
  for (const LogState& room : rooms) {
    if (stop.stop_requested()) throw Overloaded("nobody waits for the search");
    index_room_from(connection, room, known[room.room.id], until);
  }
  // Its time counts from here: to take in what others wrote is not its own work.
  SearchRun run(query, effort, std::move(stop));
  return go_through(connection, rooms, before->value_or(""), run);
}

}  // namespace payam::chat::mongo
