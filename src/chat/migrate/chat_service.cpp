#include "chat/migrate/chat_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "chat/migrate/loose.hpp"
#include "chat/rules.hpp"

namespace payam::chat::migrate {
namespace {

using namespace transfer;
using mongo::doc;
using mongo::Field;
using mongo::View;

constexpr std::string_view kDisabled = "!";  // before a hash: no password matches it, and yet it is not lost

// What the target has already, and what is added to it.
struct Known {
  std::unordered_map<std::string, UserId> by_email;
  std::unordered_map<std::string, UserId> by_source;  // the source's id or username
  std::unordered_map<UserId, std::string> username_keys;
  std::set<std::string> usernames;  // their keys
  std::unordered_set<UserId> users;
  std::unordered_map<RoomId, Seq> rooms;  // and its last message
  std::map<std::pair<UserId, UserId>, RoomId> pairs;

  void add(const UserRecord& user) {
    users.insert(user.id);
    if (!user.email) return;
    by_email.emplace(*user.email, user.id);
    username_keys[user.id] = rules::username_key(*user.username);
    usernames.insert(username_keys[user.id]);
  }
};

bool is_bcrypt(std::string_view hash) {
  return hash.size() == 60 && (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$"));
}

// A list's elements; an embedded document's values.
std::vector<Field> items(const std::optional<Field>& list) {
  std::vector<Field> found;
  if (!list || (list->kind() != mongo::Kind::array && list->kind() != mongo::Kind::document)) return found;
  list->read<View>()->each([&](const Field& item) { found.push_back(item); });
  return found;
}

class Import {
 public:
  Import(mongo::Connection& source, Archive& target) : source_(source), target_(target) {}

  ImportReport run() {
    target_.read([this](Record record) {
      if (const auto* user = std::get_if<UserRecord>(&record)) known_.add(*user);
      if (const auto* room = std::get_if<RoomRecord>(&record)) {
        known_.rooms[room->room.id] = room->room.last_seq;
        if (room->pair) known_.pairs[*room->pair] = room->room.id;
      }
    });
    each("users", [this](View document) { take_user(document); });
    flush_users();
    each("chat_rooms", [this](View document) { take_room(document); });
    each("private_chats", [this](View document) { take_private_chat(document); });
    tell_what_was_not_read();
    return std::move(report_);
  }

 private:
  template <class F>
  void each(std::string_view collection, const F& take) {
    mongo::FindOptions by_id;
    by_id.sort = doc("_id", 1);
    mongo::Cursor cursor = source_.find(collection, doc(), by_id);
    while (const auto document = cursor.next()) take(*document);
  }

  void skip(std::string what) { report_.skipped.push_back(std::move(what)); }
  void note(std::string what) { report_.notes.push_back(std::move(what)); }

  // --- Users ---------------------------------------------------------------------------------------------------------

  void take_user(View document) {
    ++report_.users.found;
    const std::string source = text_of(document, {"_id", "id"}).value_or("");
    const std::string shown = fmt::format("user {}", source);
    const auto written = text_of(document, {"email"});
    const auto email = written ? email_of(*written) : std::nullopt;
    if (source.empty()) return skip("a user without an id");
    if (!email) return skip(fmt::format("{}: no e-mail address", shown));
    const Timestamp made = time_of(document, {"created_at"}).value_or(made_at(document).value_or(Timestamp{}));
    UserRecord user{UserId(derived_id(made, "user", source)), email, {}, text_of(document, {"full_name", "name"}), {}, made,
                    time_of(document, {"last_seen"})};
    const auto names_it = [&] {
      known_.by_source.emplace(source, known_.by_email.at(*email));
      if (const auto name = text_of(document, {"username"})) known_.by_source.emplace(*name, known_.by_email.at(*email));
    };
    if (const auto there = known_.by_email.find(*email); there != known_.by_email.end()) {
      if (seen_.contains(*email)) return skip(fmt::format("{}: another user has the same e-mail", shown));
      seen_.insert(*email);
      ++report_.users.there;
      if (there->second != user.id) note(fmt::format("{}: had an account here already, which keeps its password", shown));
      return names_it();
    }
    seen_.insert(*email);
    user.username = free_username(document, *email, shown);
    user.password_hash = text_of(document, {"hashed_password", "password_hash", "password"}).value_or("");
    if (!is_bcrypt(user.password_hash)) {
      note(fmt::format("{}: no bcrypt hash, so nobody can sign in to it", shown));
      user.password_hash = std::string(kDisabled);
    } else if (document.kind("disabled") == mongo::Kind::boolean && document.get<bool>("disabled")) {
      note(fmt::format("{}: disabled, so nobody can sign in to it", shown));
      user.password_hash.insert(0, kDisabled);
    }
    known_.add(user);
    names_it();
    users_.emplace_back(std::move(user));
    ++report_.users.taken;
    if (users_.size() >= 1000) flush_users();
  }

  std::string free_username(View document, const std::string& email, const std::string& shown) {
    const std::string wanted = text_of(document, {"username"}).value_or(email.substr(0, email.find('@')));
    std::string name = wanted;
    for (int number = 2; known_.usernames.contains(rules::username_key(name)); ++number)
      name = fmt::format("{}{}", wanted, number);
    if (name != wanted) note(fmt::format("{}: is called {} here, as the name was taken", shown, name));
    return name;
  }

  void flush_users() {
    if (!users_.empty()) target_.put(users_);
    users_.clear();
  }

  // By e-mail, id or name; from a text or a document that has one of them.
  std::optional<UserId> find_person(const Field& field) {
    if (field.kind() == mongo::Kind::document) {
      const auto inner = find_any(*field.read<View>(), {"email", "user_email", "user_id", "_id", "id", "username"});
      return inner && inner->kind() != mongo::Kind::document ? find_person(*inner) : std::nullopt;
    }
    const auto text = text_of(field);
    if (!text) return std::nullopt;
    if (const auto email = email_of(*text)) {
      if (const auto found = known_.by_email.find(*email); found != known_.by_email.end()) return found->second;
    }
    const auto found = known_.by_source.find(*text);
    return found == known_.by_source.end() ? std::nullopt : std::optional(found->second);
  }

  // Each once, in the order they stand there.
  std::vector<UserId> find_people(const std::vector<Field>& fields, const std::string& shown) {
    std::vector<UserId> people;
    for (const Field& field : fields) {
      const auto person = find_person(field);
      if (!person) {
        skip(fmt::format("{}: member {} is no user", shown, text_of(field).value_or("(not a text)")));
      } else if (std::ranges::find(people, *person) == people.end()) {
        people.push_back(*person);
      }
    }
    return people;
  }

  // --- Rooms ---------------------------------------------------------------------------------------------------------

  void take_room(View document) {
    ++report_.rooms.found;
    const std::string source = text_of(document, {"_id", "id"}).value_or("");
    const std::string shown = fmt::format("room {}", source);
    if (source.empty()) return skip("a room without an id");
    std::vector<UserId> members = find_people(items(find_any(document, {"members", "participants", "users"})), shown);
    if (members.empty()) return skip(fmt::format("{}: nobody is in it", shown));
    const auto creator = find_any(document, {"owner", "created_by", "creator", "admin"});
    if (const auto owner = creator ? find_person(*creator) : std::nullopt) {
      std::erase(members, *owner);
      members.insert(members.begin(), *owner);
    }
    auto name = text_of(document, {"name", "room_name", "title"});
    if (!name) {
      note(fmt::format("{}: had no name", shown));
      name = "Chat room";
    }
    take_chat("room", source, shown, document, RoomKind::group, *name, std::move(members), report_.rooms);
  }

  void take_private_chat(View document) {
    ++report_.private_chats.found;
    const std::string source = text_of(document, {"_id", "id"}).value_or("");
    const std::string shown = fmt::format("private chat {}", source);
    if (source.empty()) return skip("a private chat without an id");
    std::vector<Field> fields = items(find_any(document, {"participants", "members", "users", "user_emails"}));
    if (fields.empty()) {
      const auto one = find_any(document, {"user1", "user1_email", "user1_id", "sender"});
      const auto other = find_any(document, {"user2", "user2_email", "user2_id", "receiver"});
      if (one && other) fields = {*one, *other};
    }
    std::vector<UserId> members = find_people(fields, shown);
    if (members.size() != 2) return skip(fmt::format("{}: {} known people are in it, not two", shown, members.size()));
    const RoomId id(derived_id(started_at(document), "private chat", source));
    if (const auto there = known_.pairs.find(std::minmax({members[0], members[1]}));
        there != known_.pairs.end() && there->second != id) {
      return skip(fmt::format("{}: the two have a private chat already ({})", shown, there->second.str()));
    }
    take_chat("private chat", source, shown, document, RoomKind::direct, "", std::move(members), report_.private_chats);
  }

  // When the room was made, as far as it can be known.
  Timestamp started_at(View document) {
    if (const auto made = time_of(document, {"created_at"})) return *made;
    if (const auto made = made_at(document)) return *made;
    for (const Field& item : items(find_any(document, {"messages"}))) {
      const auto message = item.kind() == mongo::Kind::document ? item.read<View>() : std::nullopt;
      if (const auto sent = message ? time_of(*message, {"timestamp", "created_at", "sent_at", "time"}) : std::nullopt)
        return *sent;
    }
    return Timestamp{};
  }

  // The log is written as it would have grown: the room, then its messages.
  void take_chat(std::string_view kind, const std::string& source, const std::string& shown, View document, RoomKind room_kind,
                 const std::string& name, std::vector<UserId> members, ImportReport::Count& count) {
    const Timestamp made = started_at(document);
    const RoomId id(derived_id(made, kind, source));
    std::vector<Record> records;
    std::vector<Record> messages = read_messages(id, source, shown, document, made, members);
    report_.messages.found += found_messages_;
    if (const auto there = known_.rooms.find(id); there != known_.rooms.end()) {
      ++count.there;
      report_.messages.there += std::min<std::uint64_t>(messages.size(), static_cast<std::uint64_t>(there->second.value));
      if (static_cast<std::int64_t>(messages.size()) > there->second.value) {
        skip(fmt::format("{}: {} messages that came after it was taken over; it goes on here", shown,
                         static_cast<std::int64_t>(messages.size()) - there->second.value));
      }
      return;
    }
    const Seq last{static_cast<std::int64_t>(messages.size())};
    const Rev rev{last.value + 1};
    Timestamp active = made;
    if (!messages.empty()) active = std::get<MessageRecord>(messages.back()).at;

    RoomRecord room{{id, room_kind, name, "", made, last, rev}, active, {}};
    if (room_kind == RoomKind::direct) room.pair = std::minmax({members[0], members[1]});
    EntryRecord created{id, Rev{1}, EntryRecord::Kind::room_created, Seq{0}, made, members.front(), {}, {}, {}, {}};
    if (room_kind == RoomKind::group) created.name = name;
    for (const UserId& member : members) {
      const Role role = room_kind == RoomKind::group && member == members.front() ? Role::owner : Role::member;
      created.named.emplace_back(member, role);
      records.emplace_back(MemberRecord{id, member, role, last, {}, made});  // the old service counted nothing as unread
    }
    if (room.pair) known_.pairs[*room.pair] = id;
    records.emplace_back(std::move(created));
    records.emplace_back(std::move(room));
    records.insert(records.end(), nobodies_.begin(), nobodies_.end());
    nobodies_.clear();
    report_.messages.taken += messages.size();
    records.insert(records.end(), std::make_move_iterator(messages.begin()), std::make_move_iterator(messages.end()));
    target_.put(records);
    known_.rooms[id] = last;
    ++count.taken;
  }

  std::vector<Record> read_messages(const RoomId& room, const std::string& source, const std::string& shown, View document,
                                    Timestamp made, const std::vector<UserId>& members) {
    std::vector<Record> messages;
    Timestamp before = made;  // for a message without a time
    Timestamp latest = made;  // ids sort as the messages stand
    std::uint32_t number = 0;
    const std::vector<Field> found = items(find_any(document, {"messages"}));
    found_messages_ = found.size();
    for (const Field& item : found) {
      const std::uint32_t index = number++;
      const std::string which = fmt::format("{}, message {}", shown, index + 1);
      if (item.kind() != mongo::Kind::document) {
        skip(fmt::format("{}: not a document", which));
        continue;
      }
      const View written = *item.read<View>();
      const auto content = text_of(written, {"content", "message", "text", "body"});
      if (!content) {
        skip(fmt::format("{}: no content that is a text", which));
        continue;
      }
      const auto sender = find_any(written, {"sender", "sender_email", "sender_id", "from", "user", "author"});
      auto person = sender ? find_person(*sender) : std::nullopt;
      if (!person) {
        person = nobody();
        note(fmt::format("{}: its sender {} is no user, so it has none", which,
                         sender ? text_of(*sender).value_or("(not a text)") : "(missing)"));
      }
      const auto sent = time_of(written, {"timestamp", "created_at", "sent_at", "time"});
      if (!sent) note(fmt::format("{}: had no time, so it has that of the message before", which));
      before = sent.value_or(before);
      latest = std::max(latest, before);
      const Seq seq{static_cast<std::int64_t>(messages.size()) + 1};
      MessageRecord message;
      message.room = room;
      message.seq = seq;
      message.id = MessageId(derived_id(latest, "message", source, index));
      message.first_rev = message.rev = Rev{seq.value + 1};
      message.sender = *person;
      message.at = before;
      message.content = *content;
      message.mentions = find_mentioned(*content, members);
      messages.emplace_back(std::move(message));
    }
    return messages;
  }

  // Whoever is not known any more: as an erased account.
  UserId nobody() {
    const UserId id(derived_id(Timestamp{}, "user", "nobody"));
    if (known_.users.insert(id).second) {
      UserRecord user;
      user.id = id;
      nobodies_.emplace_back(std::move(user));
    }
    return id;
  }

  std::vector<UserId> find_mentioned(const std::string& content, const std::vector<UserId>& members) {
    std::vector<UserId> mentioned;
    rules::find_mentions(content, [&](const std::string& key) {
      const auto member = std::ranges::find(members, key, [this](const UserId& one) { return known_.username_keys.at(one); });
      if (member == members.end()) return false;
      if (std::ranges::find(mentioned, *member) == mentioned.end()) mentioned.push_back(*member);
      return true;
    });
    return mentioned;
  }

  void tell_what_was_not_read() {
    constexpr std::array kRead = {"users", "chat_rooms", "private_chats"};
    const mongo::Document reply = source_.command(doc("listCollections", 1, "nameOnly", true));
    for (const View& collection : reply.view().get<View>("cursor").get<std::vector<View>>("firstBatch")) {
      const auto name = collection.get<std::string>("name");
      if (name.starts_with("system.") || std::ranges::find(kRead, name) != kRead.end()) continue;
      if (const auto count = source_.count(name, doc()); count > 0)
        skip(fmt::format("collection {}: {} documents, not known", name, count));
    }
  }

  mongo::Connection& source_;
  Archive& target_;
  Known known_;
  std::unordered_set<std::string> seen_;  // e-mails
  std::vector<Record> users_;             // not put yet
  std::vector<Record> nobodies_;
  std::uint64_t found_messages_ = 0;  // of the chat last read
  ImportReport report_;
};

}  // namespace

ImportReport import_chat_service(mongo::Connection& source, Archive& target) { return Import(source, target).run(); }

std::string ImportReport::text() const {
  std::string out;
  const auto line = [&out](std::string_view what, const Count& count) {
    fmt::format_to(std::back_inserter(out), "{:<14} {:>8} found {:>8} taken {:>8} there already\n", what, count.found,
                   count.taken, count.there);
  };
  line("users", users);
  line("rooms", rooms);
  line("private chats", private_chats);
  line("messages", messages);
  for (const std::string& one : notes) fmt::format_to(std::back_inserter(out), "note: {}\n", one);
  for (const std::string& one : skipped) fmt::format_to(std::back_inserter(out), "skipped: {}\n", one);
  return out;
}

}  // namespace payam::chat::migrate
