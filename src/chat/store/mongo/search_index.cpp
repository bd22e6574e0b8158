#include "chat/store/mongo/search_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "chat/rules.hpp"
#include "chat/search/query.hpp"
#include "chat/store/mongo/views.hpp"

namespace payam::chat::mongo {
namespace {

constexpr std::int64_t kStep = 200;       // entries taken in at a time
constexpr std::int64_t kPage = 100;       // messages that the index offers at a time
constexpr int kMostRead = 10'000;         // of which some prove not to match
constexpr std::size_t kRoomsAtOnce = 20;  // in one query

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

Document clauses_for(const RoomId& room, const std::vector<search::Query::Clause>& clauses) {
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
std::vector<Offer> offers(Connection& connection, const std::vector<Document>& rooms, const std::string& before) {
  std::vector<Offer> found;
  for (std::size_t first = 0; first < rooms.size(); first += kRoomsAtOnce) {
    Array any;
    for (std::size_t i = first; i < std::min(rooms.size(), first + kRoomsAtOnce); ++i) any.push(rooms[i]);
    FindOptions options;
    options.sort = doc("order", -1);
    options.projection = doc("order", 1);
    options.limit = kPage;
    Document query = doc("$or", any);
    if (!before.empty()) query.add("order", doc("$lt", before));
    Cursor cursor = connection.find(kSearch, query, options);
    while (const auto one = cursor.next()) found.push_back({one->get<std::string>("order"), one->get<std::string>("_id")});
  }
  std::ranges::sort(found, std::ranges::greater(), &Offer::order);
  if (found.size() > static_cast<std::size_t>(kPage)) found.resize(static_cast<std::size_t>(kPage));
  return found;
}

}  // namespace

void index_room(Connection& connection, const LogState& room, SteadyTime until) {
  const auto known = connection.find_one(kSearchRooms, doc("_id", room.room.id));
  index_room_from(connection, room, known ? known->view().get<Rev>("rev") : Rev{0}, until);
}

Result<std::vector<SearchHit>> search(Connection& connection, const UserId& viewer, const SearchQuery& query, Millis patience) {
  std::vector<LogState> rooms;
  if (query.room) {
    auto visible = find_visible(connection, *query.room, viewer);
    if (!visible) return std::unexpected(std::move(visible.error()));
    rooms.push_back(std::move(*visible));
  } else {
    rooms = current_rooms(connection, member_rooms(connection, viewer));
  }
  auto before = order_before(connection, query.before);
  if (!before) return std::unexpected(std::move(before.error()));
  const search::Query words(query.text);
  std::vector<SearchHit> hits;
  if (words.empty() || rooms.empty()) return hits;

  const SteadyTime until = steady_now() + patience;
  std::unordered_map<RoomId, Rev> known;
  std::vector<RoomId> keys;
  for (const LogState& room : rooms) keys.push_back(room.room.id);
  for (const Document& one : connection.find(kSearchRooms, doc("_id", doc("$in", list(keys)))).all()) {
    known[one.view().get<RoomId>("_id")] = one.view().get<Rev>("rev");
  }
  std::vector<Document> conditions;
  for (const LogState& room : rooms) {
    index_room_from(connection, room, known[room.room.id], until);
    conditions.push_back(clauses_for(room.room.id, words.clauses()));
  }

  std::string below = before->value_or("");
  for (int read = 0; read < kMostRead;) {
    const auto page = offers(connection, conditions, below);
    std::vector<std::string> places;
    for (const Offer& offer : page) places.push_back(offer.place);
    std::unordered_map<std::string, Message> messages;
    for (Message& message : finish(connection, find_messages(connection, "place", places))) {
      std::string place = place_key(message.room, message.seq);
      messages.emplace(std::move(place), std::move(message));
    }
    for (const Offer& offer : page) {
      const auto found = messages.find(offer.place);
      if (found == messages.end()) continue;
      if (auto highlights = words.match(found->second.content)) {
        hits.push_back({std::move(found->second), std::move(*highlights)});
        if (hits.size() == static_cast<std::size_t>(query.limit)) return hits;
      }
    }
    if (page.size() < static_cast<std::size_t>(kPage)) break;
    read += static_cast<int>(page.size());
    below = page.back().order;
  }
  return hits;
}

}  // namespace payam::chat::mongo
