#include "chat/store/sqlite/search_index.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "chat/rules.hpp"
#include "chat/search/query.hpp"
#include "chat/store/search_run.hpp"
#include "chat/store/sqlite/rows.hpp"
#include "chat/store/sqlite/views.hpp"

namespace payam::chat::sqlite {
namespace {

constexpr int kIndexVersion = 1;  // to be raised with every change of folding, terms or tables
// In one transaction, for which others wait: entries of the log, or documents; and bytes of messages, unless they are few.
constexpr std::int64_t kStep = 500;
constexpr std::int64_t kStepBytes = 256 << 10;
constexpr std::int64_t kFew = 4;

// A document's key is its message's time in milliseconds, and 20 bits that tell it from others of the same one: the newest
// first across rooms, however and whenever the index was made.
constexpr int kTimeShift = 20;

// `{room}_{term}`: the tokenizer parts tokens at ASCII signs but for `_`, and no term holds any.
constexpr std::string_view kTables = R"sql(
CREATE TABLE {0}.search_rooms (
  room INTEGER PRIMARY KEY,  -- rooms.key, which a later room may have again
  id   TEXT NOT NULL UNIQUE,
  rev  INTEGER NOT NULL      -- taken in up to here
) STRICT;
CREATE TABLE {0}.search_documents (
  key  INTEGER PRIMARY KEY,
  room INTEGER NOT NULL,
  seq  INTEGER NOT NULL,
  UNIQUE (room, seq)
) STRICT;
CREATE VIRTUAL TABLE {0}.search_words USING fts5(terms, detail=none, columnsize=0, tokenize="ascii tokenchars '_'");
)sql";

std::int64_t expected_version() {
  UVersionInfo unicode;
  u_getUnicodeVersion(unicode);
  return kIndexVersion * 1000 + unicode[0];
}

std::string token(std::int64_t room, std::string_view term) { return fmt::format("{}_{}", room, term); }

struct Known {
  std::int64_t room = 0;
  Rev rev;
};

std::optional<Known> find_known(Database& database, const RoomId& id) {
  Statement row = database.query("SELECT room, rev FROM search_rooms WHERE id = ?", id);
  if (!row.step()) return std::nullopt;
  return Known{row.get<std::int64_t>(0), row.get<Rev>(1)};
}

// True if there may be more.
bool forget_some(Database& database, std::int64_t room) {
  std::vector<std::int64_t> keys;
  {
    Statement row = database.query("SELECT key FROM search_documents WHERE room = ? LIMIT ?", room, kStep);
    while (row.step()) keys.push_back(row.get<std::int64_t>(0));
  }
  for (const std::int64_t key : keys) {
    database.run("DELETE FROM search_words WHERE rowid = ?", key);
    database.run("DELETE FROM search_documents WHERE key = ?", key);
  }
  if (!keys.empty()) return true;
  database.run("DELETE FROM search_rooms WHERE room = ?", room);
  return false;
}

std::int64_t new_key(Database& database, Timestamp at) {
  const std::int64_t lowest = std::clamp<std::int64_t>(at.time_since_epoch().count(), 0, INT64_MAX >> (kTimeShift + 1))
                              << kTimeShift;
  const std::int64_t highest = lowest | ((1 << kTimeShift) - 1);
  Statement row = database.query("SELECT max(key) FROM search_documents WHERE key BETWEEN ? AND ?", lowest, highest);
  row.step();
  const auto last = row.get<std::optional<std::int64_t>>(0);
  return last ? *last + 1 : lowest;
}

std::string terms_of(Database& database, std::int64_t key) {
  Statement row = database.query("SELECT terms FROM search_words WHERE rowid = ?", key);
  return row.step() ? row.get<std::string>(0) : std::string();
}

void put_document(Database& database, std::int64_t room, Seq seq, Timestamp at, std::string_view content) {
  std::string terms;
  for (const std::string& term : search::index_terms(content)) terms.append(token(room, term)).push_back(' ');
  std::optional<std::int64_t> key;
  {
    Statement row = database.query("SELECT key FROM search_documents WHERE room = ? AND seq = ?", room, seq);
    if (row.step()) key = row.get<std::int64_t>(0);
  }
  if (key) {
    const std::string indexed = terms_of(database, *key);
    if (indexed == terms) return;
    if (!indexed.empty()) database.run("DELETE FROM search_words WHERE rowid = ?", *key);
  } else {
    key = new_key(database, at);
    database.run("INSERT INTO search_documents (key, room, seq) VALUES (?, ?, ?)", *key, room, seq);
  }
  if (!terms.empty()) database.run("INSERT INTO search_words (rowid, terms) VALUES (?, ?)", *key, terms);
}

// A tombstone's content is empty: it keeps its key, so that one may ask for what is before it, and loses its words.
void put_message(Database& database, std::int64_t room, Seq seq) {
  Statement row = database.query("SELECT at, content FROM messages WHERE room = ? AND seq = ?", room, seq);
  if (row.step()) put_document(database, room, seq, row.get<Timestamp>(0), row.get<std::string>(1));
}

// Entries after `from` up to `to`: messages that were added, and older ones that were changed.
void take_in(Database& database, std::int64_t room, Rev from, Rev to) {
  const Seq first = first_message_after(database, room, from);
  const Seq end = first_message_after(database, room, to);
  std::vector<Seq> changed;
  {
    Statement row = database.query("SELECT subject FROM log WHERE room = ? AND rev > ? AND rev <= ? AND subject < ?", room,
                                   from, to, first);
    while (row.step()) changed.push_back(row.get<Seq>(0));
  }
  std::ranges::sort(changed);
  changed.erase(std::ranges::unique(changed).begin(), changed.end());
  for (const Seq seq : changed) put_message(database, room, seq);
  for (Seq seq = first; seq < end; seq = seq.next()) put_message(database, room, seq);
}

using Clauses = std::vector<search::Query::Clause>;

// Of the messages that entries after `from` up to `to` added or changed.
std::int64_t bytes_of(Database& database, std::int64_t room, Rev from, Rev to) {
  const Seq first = first_message_after(database, room, from);
  Statement row = database.query(
      "SELECT (SELECT ifnull(sum(length(CAST(content AS BLOB))), 0) FROM messages WHERE room = ?1 AND seq >= ?2 AND seq < ?3) +"
      " (SELECT ifnull(sum(length(CAST(m.content AS BLOB))), 0) FROM"
      " (SELECT DISTINCT subject FROM log WHERE room = ?1 AND rev > ?4 AND rev <= ?5 AND subject < ?2) s"
      " CROSS JOIN messages m ON m.room = ?1 AND m.seq = s.subject)",
      room, first, first_message_after(database, room, to), from, to);
  row.step();
  return row.get<std::int64_t>(0);
}

// Up to where the next step goes.
Rev end_of_step(Database& database, std::int64_t room, Rev from, Rev newest) {
  std::int64_t entries = std::min(newest.value - from.value, kStep);
  while (entries > kFew && bytes_of(database, room, from, Rev{from.value + entries}) > kStepBytes) entries /= 2;
  return Rev{from.value + entries};
}

// `"5_a" AND ("5_b" OR "5_c" *)`, for each of the rooms, one of which is enough.
std::string expression(std::span<const std::int64_t> rooms, const Clauses& clauses) {
  std::string text;
  for (const std::int64_t room : rooms) {
    text += text.empty() ? "(" : ") OR (";
    std::string_view and_clause;
    for (const auto& clause : clauses) {
      text.append(std::exchange(and_clause, " AND ")).append("(");
      std::string_view or_terms;
      for (const auto& terms : clause) {
        text.append(std::exchange(or_terms, " OR ")).append("(");
        std::string_view and_term;
        for (const auto& term : terms) {
          text.append(std::exchange(and_term, " AND "));
          text.append("\"").append(token(room, term.text)).append(term.prefix ? "\" *" : "\"");
        }
        text += ')';
      }
      text += ')';
    }
  }
  return text + ')';
}

struct Rooms {
  std::vector<std::int64_t> keys;
  std::vector<RoomId> ids;  // in the same order
};

Result<Rooms> rooms_to_search(Database& database, const UserId& viewer, const std::optional<RoomId>& room) {
  if (room && !is_member(database, *room, viewer)) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  Rooms rooms;
  Statement row = database.query(
      "SELECT r.key, r.id FROM users u CROSS JOIN members m ON m.user = u.key CROSS JOIN rooms r ON r.key = m.room"
      " WHERE u.id = ?1 AND (?2 IS NULL OR r.id = ?2) ORDER BY r.key",
      viewer, room);
  while (row.step()) {
    rooms.keys.push_back(row.get<std::int64_t>(0));
    rooms.ids.push_back(row.get<RoomId>(1));
  }
  return rooms;
}

Result<std::int64_t> key_before(Database& database, const std::optional<MessageId>& before) {
  if (!before) return INT64_MAX;
  Statement row = database.query(
      "SELECT d.key FROM messages m CROSS JOIN search_documents d ON d.room = m.room AND d.seq = m.seq WHERE m.id = ?",
      *before);
  if (!row.step()) return fail(Errc::not_found, std::string(rules::kMessageNotFound));
  return row.get<std::int64_t>(0);
}

}  // namespace

void prepare_search_index(Database& database, std::string_view schema) {
  {
    Statement row = database.query(fmt::format("PRAGMA {}.user_version", schema));
    row.step();
    if (row.get<std::int64_t>(0) == expected_version()) return;
  }
  Transaction transaction(database, Transaction::Kind::write);
  for (const char* table : {"search_words", "search_documents", "search_rooms"}) {
    database.execute(fmt::format("DROP TABLE IF EXISTS {}.{}", schema, table));
  }
  database.execute(fmt::format(kTables, schema));
  database.execute(fmt::format("PRAGMA {}.user_version = {}", schema, expected_version()));
  transaction.commit();
}

bool follow_room(Database& database, const RoomId& room) {
  const auto known = find_known(database, room);
  std::int64_t key = 0;
  Rev newest;
  {
    Statement row = database.query("SELECT key, rev FROM rooms WHERE id = ? AND deleted = 0", room);
    if (!row.step()) return known && forget_some(database, known->room);
    key = row.get<std::int64_t>(0);
    newest = row.get<Rev>(1);
  }
  // A log that is shorter than it was is another one: the chat's database was put back to an earlier day.
  const bool other_log = known && known->rev > newest;
  const bool other_room = !known && database.query("SELECT 1 FROM search_rooms WHERE room = ?", key).step();
  if (other_log || other_room) {
    forget_some(database, key);
    return true;
  }
  if (!known) database.run("INSERT INTO search_rooms (room, id, rev) VALUES (?, ?, 0)", key, room);
  const Rev from = known ? known->rev : Rev{0};
  const Rev to = end_of_step(database, key, from, newest);
  take_in(database, key, from, to);
  database.run("UPDATE search_rooms SET rev = ? WHERE room = ?", to, key);
  return to < newest;
}

std::vector<RoomId> lagging_rooms(Database& database) {
  std::vector<RoomId> rooms;
  Statement row = database.query(
      "SELECT r.id FROM rooms r LEFT JOIN search_rooms s ON s.room = r.key AND s.id = r.id"
      " WHERE r.deleted = 0 AND s.rev IS NOT r.rev"
      " UNION ALL SELECT s.id FROM search_rooms s LEFT JOIN rooms r ON r.key = s.room AND r.id = s.id"
      " WHERE r.deleted IS NOT 0");
  while (row.step()) rooms.push_back(row.get<RoomId>(0));
  return rooms;
}

namespace {

// Something that the index offers.
struct Offer {
  std::int64_t key = 0;
  std::int64_t room = 0;
  Seq seq;
};

constexpr std::int64_t kPage = 100;  // offers at a time

// The newest offers below `before`, in some rooms at a time: the index opens a list for each term of each room.
std::vector<Offer> next_offers(Database& database, std::span<const std::int64_t> rooms, const Clauses& clauses,
                               std::int64_t before) {
  constexpr std::size_t kTermsAtOnce = 2'000;
  std::size_t terms = 1;
  for (const auto& clause : clauses) {
    for (const auto& together : clause) terms += together.size();
  }
  const std::size_t rooms_at_once = std::max<std::size_t>(1, kTermsAtOnce / terms);
  std::vector<Offer> offers;
  for (std::size_t first = 0; first < rooms.size(); first += rooms_at_once) {
    const auto some = rooms.subspan(first, std::min(rooms_at_once, rooms.size() - first));
    Statement row = database.query(
        "SELECT d.key, d.room, d.seq FROM search_words w CROSS JOIN search_documents d ON d.key = w.rowid"
        " WHERE w.search_words MATCH ? AND w.rowid < ? ORDER BY w.rowid DESC LIMIT ?",
        expression(some, clauses), before, kPage);
    while (row.step()) offers.push_back({row.get<std::int64_t>(0), row.get<std::int64_t>(1), row.get<Seq>(2)});
  }
  std::ranges::sort(offers, std::ranges::greater(), &Offer::key);
  if (offers.size() > static_cast<std::size_t>(kPage)) offers.resize(static_cast<std::size_t>(kPage));
  return offers;
}

SearchPage go_through(Database& database, const Rooms& rooms, std::int64_t before, SearchRun& run) {
  const Clauses clauses = run.words().clauses();
  for (;;) {
    const auto offers = next_offers(database, rooms.keys, clauses, before);
    for (const Offer& offer : offers) {
      if (!run.goes_on()) return run.cut_off();
      const auto at = std::ranges::lower_bound(rooms.keys, offer.room) - rooms.keys.begin();
      const RoomRef room{offer.room, rooms.ids[static_cast<std::size_t>(at)]};
      if (!run.look_at(MessageCursor(database, room, offer.seq, offer.seq).next())) return run.cut_off();
    }
    if (offers.size() < static_cast<std::size_t>(kPage)) return run.finish();
    before = offers.back().key;
  }
}

}  // namespace

Result<SearchPage> search(Database& database, const UserId& viewer, const SearchQuery& query, const SearchEffort& effort,
                          std::stop_token stop) {
  const auto rooms = rooms_to_search(database, viewer, query.room);
  if (!rooms) return std::unexpected(rooms.error());
  const auto before = key_before(database, query.before);
  if (!before) return std::unexpected(before.error());
  SearchRun run(query, effort, std::move(stop));
  if (run.words().empty() || rooms->keys.empty()) return SearchPage{};

  const Interruption interruption(database, [&run] { return run.is_over(); });
  try {
    return go_through(database, *rooms, *before, run);
  } catch (const SqliteError&) {
    if (!interruption.happened()) throw;
    return run.cut_off();
  }
}

}  // namespace payam::chat::sqlite
