#include "chat/store/mongo/views.hpp"

#include <algorithm>
#include <unordered_set>

#include "chat/rules.hpp"
#include "chat/store/mongo/accounts.hpp"
#include "chat/store/pages.hpp"

namespace payam::chat::mongo {
namespace {

constexpr std::int64_t kStep = 250;  // entries purged at a time

// A room's messages from one end of a range, read some at a time.
class MessageReader {
 public:
  enum class Order : std::uint8_t { ascending, descending };

  MessageReader(Connection& connection, const RoomId& room, Seq first, Seq last, Order order)
      : connection_(connection), room_(room), first_(first), last_(last), order_(order) {}

  std::optional<Message> next() {
    if (at_ == step_.size() && !read_step()) return std::nullopt;
    first_rev_ = step_[at_].first_rev;
    return finish(step_[at_++], people_);
  }
  Rev first_rev() const { return first_rev_; }  // of the entry that added the message last given

 private:
  bool read_step() {
    if (first_ > last_) return false;
    const std::int64_t count = std::min(steps_.next(), last_.value - first_.value + 1);
    std::vector<std::string> places;
    for (std::int64_t i = 0; i < count; ++i) {
      places.push_back(place_key(room_, Seq{order_ == Order::ascending ? first_.value + i : last_.value - i}));
    }
    if (order_ == Order::ascending) {
      first_.value += count;
    } else {
      last_.value -= count;
    }
    step_ = find_messages(connection_, "place", places);
    at_ = 0;
    if (order_ == Order::descending) std::ranges::reverse(step_);
    std::size_t bytes = 0;
    for (const StoredMessage& one : step_) {
      bytes += bytes_of(one.message);
      want_people(one, people_);
    }
    people_.load(connection_);
    steps_.note(count, bytes);
    return !step_.empty();
  }

  Connection& connection_;
  const RoomId& room_;
  Seq first_, last_;  // not read yet
  const Order order_;
  ReadSteps steps_;
  People people_;
  std::vector<StoredMessage> step_;
  std::size_t at_ = 0;  // the next one of these
  Rev first_rev_;
};

HistoryPage read_page(Connection& connection, const LogState& state, const HistoryQuery& query) {
  const HistoryRange range = history_range(query, state.room.last_seq);
  const RoomId& room = state.room.id;
  MessageReader older(connection, room, range.first, std::min(range.middle, range.last), MessageReader::Order::descending);
  MessageReader newer(connection, room, std::max(range.first, range.middle.next()), range.last,
                      MessageReader::Order::ascending);
  return fill_page(range, query.bytes, [&older] { return older.next(); }, [&newer] { return newer.next(); });
}

// The last messages of rooms, as lists show them.
std::unordered_map<RoomId, Message> last_messages(Connection& connection, const std::vector<LogState>& states) {
  std::unordered_map<RoomId, Message> last;
  ReadSteps steps;
  for (std::size_t first = 0; first < states.size();) {
    const std::size_t end = std::min(states.size(), first + static_cast<std::size_t>(steps.next()));
    std::vector<std::string> places;
    for (std::size_t i = first; i < end; ++i) places.push_back(place_key(states[i].room.id, states[i].room.last_seq));
    std::size_t bytes = 0;
    for (Message& message : finish(connection, find_messages(connection, "place", places))) {
      bytes += bytes_of(message);
      cut_for_list(message);
      const RoomId room = message.room;
      last.emplace(room, std::move(message));
    }
    steps.note(static_cast<std::int64_t>(end - first), bytes);
    first = end;
  }
  return last;
}

// A part of the log, ascending, with the messages that its updates are about, and everyone it names.
struct LogPart {
  std::vector<Document> entries;
  std::unordered_map<std::string, StoredMessage> targets;  // by their _id
  People people;
};

LogPart read_log(Connection& connection, const RoomId& room, Rev first, Rev last) {
  LogPart part;
  std::vector<std::string> keys, targets;
  for (Rev rev = first; rev <= last; rev = rev.next()) keys.push_back(entry_key(room, rev));
  part.entries = connection.find(kLog, doc("_id", doc("$in", list(keys)))).all();
  std::ranges::sort(part.entries, {}, [](const Document& one) { return one.view().get<std::int64_t>("rev"); });
  for (const Document& entry : part.entries) {
    const View view = entry;
    switch (view.get<EntryKind>("kind")) {
      case EntryKind::message: want_people(stored_message(view), part.people); break;
      case EntryKind::message_updated: targets.push_back(view.get<std::string>("target")); [[fallthrough]];
      default: want_people(stored_entry(view), part.people);
    }
  }
  for (StoredMessage& target : find_messages(connection, "_id", targets)) {
    want_people(target, part.people);
    std::string key = target.key;
    part.targets.emplace(std::move(key), std::move(target));
  }
  part.people.load(connection);
  return part;
}

CatchUp cut_off(CatchUp page) {
  page.more = true;
  return page;
}

Seq read_by(const LogState& state, const StoredMember& member) {
  const auto marker = state.markers.find(member.user);
  return marker == state.markers.end() ? member.read_seq : std::max(member.read_seq, marker->second);
}

// The seq of the room's last message as of `rev`.
Seq last_seq_at(Connection& connection, const LogState& state, Rev rev) {
  if (rev == Rev{0}) return Seq{0};
  if (rev == state.room.rev) return state.room.last_seq;
  FindOptions options;
  options.projection = doc("last_seq", 1);
  const auto entry = connection.find_one(kLog, doc("_id", entry_key(state.room.id, rev)), options);
  return entry ? entry->view().get<Seq>("last_seq") : Seq{0};
}

std::unordered_map<RoomId, User> find_others(Connection& connection, const std::vector<RoomId>& rooms, const UserId& user) {
  std::unordered_map<RoomId, User> others;
  std::unordered_map<UserId, std::vector<RoomId>> rooms_by_user;
  std::vector<UserId> ids;
  for (const Document& member : connection.find(kMembers, doc("room", doc("$in", list(rooms)), "active", true)).all()) {
    const auto other = member.view().get<UserId>("user");
    if (other == user) continue;
    rooms_by_user[other].push_back(member.view().get<RoomId>("room"));
    ids.push_back(other);
  }
  if (ids.empty()) return others;
  for (const Document& found : connection.find(kUsers, doc("_id", doc("$in", list(ids)))).all()) {
    const auto other = user_from(found);
    if (!other) continue;
    for (const RoomId& room : rooms_by_user[other->id]) others.emplace(room, *other);
  }
  return others;
}

}  // namespace

Result<LogState> find_visible(Connection& connection, const RoomId& room, const UserId& viewer) {
  auto state = current_room(connection, room);
  if (state) {
    const auto member = find_member(connection, room, viewer);
    if (member && member->active) return *std::move(state);
  }
  return fail(Errc::not_found, std::string(rules::kRoomNotFound));
}

static std::vector<RoomId> rooms_of_members(Connection& connection, View query) {
  std::vector<RoomId> rooms;
  FindOptions options;
  options.projection = doc("room", 1);
  Cursor cursor = connection.find(kMembers, query, options);
  while (const auto member = cursor.next()) rooms.push_back(member->get<RoomId>("room"));
  return rooms;
}

std::vector<RoomId> member_rooms(Connection& connection, const UserId& user) {
  return rooms_of_members(connection, doc("user", user, "active", true));
}

std::vector<RoomId> rooms_ever_of(Connection& connection, const UserId& user) {
  return rooms_of_members(connection, doc("user", user));
}

Result<RoomView> find_room(Connection& connection, const RoomId& room, const UserId& viewer, int messages) {
  const auto state = find_visible(connection, room, viewer);
  if (!state) return std::unexpected(state.error());
  return RoomView{state->room, read_members(connection, *state),
                  read_page(connection, *state, newest_in_room(messages)).messages};
}

std::vector<RoomSummary> rooms_of(Connection& connection, const UserId& user, RoomKind kind) {
  std::unordered_map<RoomId, StoredMember> memberships;
  std::vector<RoomId> ids;
  for (const Document& member : connection.find(kMembers, doc("user", user, "active", true)).all()) {
    ids.push_back(member.view().get<RoomId>("room"));
    memberships.emplace(ids.back(), member_from(member));
  }
  std::vector<LogState> states = current_rooms(connection, ids);
  std::erase_if(states, [&](const LogState& state) {
    const auto hidden = memberships.at(state.room.id).hidden_seq;
    return state.room.kind != kind || (hidden && *hidden >= state.room.last_seq);
  });
  std::ranges::sort(states, [](const LogState& left, const LogState& right) {
    return left.active_at != right.active_at ? left.active_at > right.active_at : left.room.id > right.room.id;
  });
  std::vector<RoomId> shown;
  for (const LogState& state : states) shown.push_back(state.room.id);
  auto last = last_messages(connection, states);
  const auto others = kind == RoomKind::direct ? find_others(connection, shown, user) : std::unordered_map<RoomId, User>();
  std::vector<RoomSummary> rooms;
  for (const LogState& state : states) {
    RoomSummary summary{state.room, state.room.last_seq.value - read_by(state, memberships.at(state.room.id)).value, {}, {}};
    if (const auto found = last.find(state.room.id); found != last.end()) summary.last_message = std::move(found->second);
    if (const auto found = others.find(state.room.id); found != others.end()) summary.other = found->second;
    rooms.push_back(std::move(summary));
  }
  return rooms;
}

std::vector<RoomId> room_ids_of(Connection& connection, const UserId& user) {
  std::vector<RoomId> ids;
  for (const LogState& state : current_rooms(connection, member_rooms(connection, user))) ids.push_back(state.room.id);
  return ids;
}

Result<HistoryPage> history(Connection& connection, const RoomId& room, const UserId& viewer, const HistoryQuery& query) {
  const auto state = find_visible(connection, room, viewer);
  if (!state) return std::unexpected(state.error());
  return read_page(connection, *state, query);
}

Result<CatchUp> messages_after(Connection& connection, const RoomId& room, const UserId& viewer, Seq seq,
                               const CatchUpLimit& limit) {
  const auto state = find_visible(connection, room, viewer);
  if (!state) return std::unexpected(state.error());
  CatchUp result;
  const Seq newest = state->room.last_seq;
  const Seq first{std::clamp<std::int64_t>(seq.value, 0, newest.value) + 1};
  PageBytes page(limit.bytes);
  MessageReader messages(connection, room, first, newest, MessageReader::Order::ascending);
  while (result.messages.size() < static_cast<std::size_t>(limit.entries)) {
    auto message = messages.next();
    if (!message || !page.take(bytes_of(*message))) break;
    result.seq = message->seq;
    result.rev = messages.first_rev();
    result.messages.push_back(std::move(*message));
  }
  result.more = !result.messages.empty() && result.seq < newest;
  if (!result.more) {
    result.seq = newest;
    result.rev = state->room.rev;
  }
  return result;
}

Result<CatchUp> changes_after(Connection& connection, const RoomId& room, const UserId& viewer, Rev rev,
                              const CatchUpLimit& limit) {
  const auto state = find_visible(connection, room, viewer);
  if (!state) return std::unexpected(state.error());
  CatchUp result;
  const Rev newest = state->room.rev;
  const Rev after{std::clamp<std::int64_t>(rev.value, 0, newest.value)};
  // Messages up to here are older than `after`, and their changes are entries; later ones come in their present state anyway.
  const Seq last_older = last_seq_at(connection, *state, after);
  result.rev = after;
  result.seq = last_older;
  PageBytes page(limit.bytes);
  ReadSteps steps;
  int entries = 0;
  while (result.rev < newest && entries < limit.entries) {
    const std::int64_t step = std::min<std::int64_t>(limit.entries - entries, steps.next());
    const LogPart part = read_log(connection, room, result.rev.next(), Rev{std::min(newest.value, result.rev.value + step)});
    if (part.entries.empty()) break;
    std::size_t read = 0;
    for (const Document& document : part.entries) {
      const StoredEntry stored = stored_entry(document);
      std::size_t bytes = 0;
      if (stored.kind == EntryKind::message) {
        Message message = finish(stored_message(document), part.people);
        bytes = bytes_of(message);
        if (!page.take(bytes)) return cut_off(std::move(result));
        result.messages.push_back(std::move(message));
      } else if (stored.kind != EntryKind::message_updated || stored.subject <= last_older) {
        Entry entry = finish(stored, part.people);
        if (stored.kind == EntryKind::message_updated) {
          entry.body = MessageUpdated{finish(part.targets.at(stored.target), part.people)};
        }
        bytes = bytes_of(entry);
        if (!page.take(bytes)) return cut_off(std::move(result));
        if (stored.kind == EntryKind::message_updated) drop_updates_of(stored.subject, result.changes);
        result.changes.push_back(std::move(entry));
      }
      read += bytes;
      ++entries;
      result.rev = stored.rev;
      result.seq = stored.last_seq;
    }
    steps.note(static_cast<std::int64_t>(part.entries.size()), read);
  }
  result.more = result.rev < newest && entries == limit.entries;
  return result;
}

Result<Message> find_message(Connection& connection, const MessageRef& ref, const UserId& viewer) {
  if (ref.room) {
    if (const auto visible = find_visible(connection, *ref.room, viewer); !visible) return std::unexpected(visible.error());
  }
  auto found = find_messages(connection, "id", {ref.id.str()});
  const bool here = !found.empty() && (!ref.room || *ref.room == found.front().message.room) &&
                    find_visible(connection, found.front().message.room, viewer);
  if (!here) return fail(Errc::not_found, std::string(rules::kMessageNotFound));
  // Once more, as the room's reading may have applied a change to it.
  found = find_messages(connection, "id", {ref.id.str()});
  return std::move(finish(connection, found).at(0));
}

Result<PinPage> pinned_messages(Connection& connection, const RoomId& room, const UserId& viewer, const PinQuery& query) {
  const auto state = find_visible(connection, room, viewer);
  if (!state) return std::unexpected(state.error());
  // Places sort by seq.
  std::vector<std::string> places;
  for (const Document& pin : connection.find(kPins, doc("room", room)).all())
    places.push_back(pin.view().get<std::string>("_id"));
  std::ranges::sort(places);
  places.erase(places.begin(), std::ranges::upper_bound(places, place_key(room, query.after)));
  PinPage pinned;
  PageBytes page(query.bytes);
  ReadSteps steps;
  for (std::size_t first = 0; first < places.size();) {
    const std::size_t end = std::min(places.size(), first + static_cast<std::size_t>(steps.next()));
    const std::vector<std::string> some(places.begin() + static_cast<std::ptrdiff_t>(first),
                                        places.begin() + static_cast<std::ptrdiff_t>(end));
    std::size_t read = 0;
    for (Message& message : finish(connection, find_messages(connection, "place", some))) {
      const std::size_t bytes = bytes_of(message);
      read += bytes;
      if (!message.pinned) continue;  // it was once
      pinned.more = pinned.messages.size() == static_cast<std::size_t>(query.limit) || !page.take(bytes);
      if (pinned.more) return pinned;
      pinned.messages.push_back(std::move(message));
    }
    steps.note(static_cast<std::int64_t>(end - first), read);
    first = end;
  }
  return pinned;
}

Result<ReadMarker> mark_read(Connection& connection, const RoomId& room, const UserId& user, Seq seq) {
  const auto state = current_room(connection, room);
  if (!state) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  const auto member = find_member(connection, room, user);
  if (!member || !member->active) return fail(Errc::not_member, std::string(rules::kRoomNotFound));
  const Seq reached = std::min(seq, state->room.last_seq);
  const Seq read = read_by(*state, *member);
  if (reached <= read) return ReadMarker{read, false};
  const auto before =
      connection.find_and_update(kMembers, doc("_id", member_key(room, user)), doc("$max", doc("read_seq", reached)));
  const Seq was = before ? before->view().get<Seq>("read_seq") : Seq{0};
  return reached > was ? ReadMarker{reached, true} : ReadMarker{was, false};
}

Result<> hide_direct(Connection& connection, const RoomId& room, const UserId& user) {
  const auto state = find_visible(connection, room, user);
  if (!state || state->room.kind != RoomKind::direct) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  connection.update(kMembers, doc("_id", member_key(room, user)), doc("$set", doc("hidden_seq", state->room.last_seq)));
  return {};
}

std::vector<UserId> contacts(Connection& connection, const UserId& user, int largest_room, Contacts which) {
  std::unordered_set<UserId> people;
  for (const RoomId& room : room_ids_of(connection, user)) {
    FindOptions options;
    options.projection = doc("user", 1);
    options.limit = largest_room + 1;
    const auto members = connection.find(kMembers, doc("room", room, "active", true), options).all();
    if (members.size() > static_cast<std::size_t>(largest_room)) continue;
    for (const Document& member : members) people.insert(member.view().get<UserId>("user"));
  }
  people.erase(user);
  const bool who_see_me = which == Contacts::who_see_me;
  for (const Document& block : connection.find(kBlocks, doc(who_see_me ? "user" : "blocked", user)).all()) {
    people.erase(block.view().get<UserId>(who_see_me ? "blocked" : "user"));
  }
  std::vector<UserId> sorted(people.begin(), people.end());
  std::ranges::sort(sorted);
  return sorted;
}

std::vector<RoomId> rooms_to_purge(Connection& connection) {
  std::vector<RoomId> rooms;
  FindOptions options;
  options.projection = doc("_id", 1);
  for (const Document& room : connection.find(kRooms, doc("deleted", true, "purged", doc("$ne", true)), options).all()) {
    rooms.push_back(room.view().get<RoomId>("_id"));
  }
  return rooms;
}

void purge_room(Connection& connection, const RoomId& room) {
  std::vector<MessageId> messages;
  for (const Document& use : connection.find(kUploadUses, doc("room", room)).all()) {
    messages.push_back(use.view().get<MessageId>("message"));
  }
  for (const MessageId& message : messages) release_uploads(connection, message, {}, Uses::all_but_these);
  const Rev applied = read_room(connection, room).room.rev;
  const std::int64_t last = applied.value + static_cast<std::int64_t>(read_tail(connection, room, applied).size());
  for (std::int64_t first = 1; first < last; first += kStep) {
    Array entries, places;
    for (std::int64_t n = first; n < std::min(first + kStep, last); ++n) {
      entries.push(entry_key(room, Rev{n}));
      places.push(place_key(room, Seq{n}));
    }
    connection.remove_all(kSearch, doc("_id", doc("$in", places)));
    connection.remove_all(kLog, doc("_id", doc("$in", entries)));
  }
  connection.remove_all(kPins, doc("room", room));
  connection.remove_all(kInvites, doc("room", room));
  connection.remove_all(kMembers, doc("room", room));
  connection.remove_all(kSearchRooms, doc("_id", room));
  connection.update(kRooms, doc("_id", room), doc("$set", doc("purged", true)));
}

}  // namespace payam::chat::mongo
