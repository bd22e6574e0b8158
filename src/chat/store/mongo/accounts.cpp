#include "chat/store/mongo/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "chat/rules.hpp"
#include "chat/store/mongo/documents.hpp"

namespace payam::chat::mongo {
namespace {

constexpr int kMostTries = 100;  // against others who refresh the same session

std::optional<std::string> key_of(const std::optional<std::string>& name) {
  return name ? std::optional(rules::username_key(*name)) : std::nullopt;
}

std::optional<User> one_user(Connection& connection, View query) {
  const auto found = connection.find_one(kUsers, query);
  return found ? user_from(*found) : std::nullopt;
}

Array used_tokens(const Session& session) {
  Array list;
  for (const UsedToken& one : session.used) list.push(doc("hash", one.hash, "at", one.at, "next", one.next));
  return list;
}

}  // namespace

Session session_from(View document) {
  std::vector<UsedToken> used;
  for (const View& one : document.get<std::vector<View>>("used")) {
    used.push_back({one.get<std::string>("hash"), one.get<Timestamp>("at"), one.get<std::string>("next")});
  }
  return {document.get<SessionId>("_id"),
          document.get<UserId>("user"),
          document.get<std::string>("device"),
          document.get<std::string>("address"),
          document.get<std::string>("refresh_hash"),
          document.get<Timestamp>("created_at"),
          document.get<Timestamp>("last_used_at"),
          std::move(used)};
}

std::optional<User> user_from(View document) {
  if (document.has("erased")) return std::nullopt;
  return User{document.get<UserId>("_id"),
              document.get<std::string>("username"),
              document.get<std::string>("email"),
              document.get<std::optional<std::string>>("full_name"),
              document.get<std::string>("password_hash"),
              document.get<Timestamp>("created_at"),
              document.get<std::optional<Timestamp>>("last_seen")};
}

Document user_document(const User& user) {
  return doc("_id", user.id, "username", user.username, "username_key", rules::username_key(user.username), "email", user.email,
             "full_name", user.full_name, "full_name_key", key_of(user.full_name), "password_hash", user.password_hash,
             "created_at", user.created_at, "last_seen", user.last_seen);
}

Result<User> create_user(Connection& connection, const User& user) {
  if (connection.insert(kUsers, user_document(user))) return user;
  if (connection.find_one(kUsers, doc("_id", user.id))) {
    return fail(Errc::conflict, "This id is another user's");  // or was: an erased user keeps it
  }
  if (connection.find_one(kUsers, doc("email", user.email))) return fail(Errc::bad_request, "Email already registered");
  return fail(Errc::bad_request, "Username already registered");
}

std::optional<User> find_user(Connection& connection, const UserId& id) { return one_user(connection, doc("_id", id)); }

std::optional<User> find_user_by_email(Connection& connection, const std::string& email) {
  return one_user(connection, doc("email", email));
}

std::optional<User> find_user_by_username(Connection& connection, const std::string& username) {
  return one_user(connection, doc("username_key", rules::username_key(username)));
}

Result<User> update_user(Connection& connection, const UserId& id, const std::optional<std::string>& username,
                         const std::optional<std::string>& full_name) {
  if (!find_user(connection, id)) return fail(Errc::not_found, "User not found");
  const Document fields =
      doc("username", username, "username_key", key_of(username), "full_name", full_name, "full_name_key", key_of(full_name));
  try {
    if (!fields.empty()) set_of_user(connection, id, fields);
  } catch (const DuplicateKey&) {
    return fail(Errc::bad_request, "Username already registered");
  }
  auto user = find_user(connection, id);
  if (!user) return fail(Errc::not_found, "User not found");
  return *std::move(user);
}

void set_of_user(Connection& connection, const UserId& user, View fields) {
  connection.update(kUsers, doc("_id", user, "erased", doc("$exists", false)), doc("$set", fields));
}

bool renew_password_hash(Connection& connection, const UserId& user, const std::string& old, const std::string& hash) {
  const Document unchanged = doc("_id", user, "password_hash", old, "erased", doc("$exists", false));
  return connection.update(kUsers, unchanged, doc("$set", doc("password_hash", hash))) > 0;
}

int highest_password_cost(Connection& connection) {
  FindOptions options;
  options.projection = doc("password_hash", 1);
  int highest = 0;
  Cursor cursor = connection.find(kUsers, doc(), options);
  while (const auto row = cursor.next()) {
    highest = std::max(highest, rules::bcrypt_cost(row->get<std::string>("password_hash")).value_or(0));
  }
  return highest;
}

std::vector<User> search_users(Connection& connection, const std::string& prefix, int limit) {
  std::vector<User> users;
  const std::string first = rules::username_key(prefix);
  if (first.empty()) return users;
  std::map<std::string, User> found;  // by the key of the username
  for (const char* field : {"username_key", "email", "full_name_key"}) {
    FindOptions options;
    options.sort = doc(field, 1);
    options.limit = limit;
    Cursor cursor = connection.find(kUsers, doc(field, doc("$gte", first, "$lt", first + "\U0010FFFF")), options);
    while (const auto document = cursor.next()) {
      if (auto user = user_from(*document)) found.emplace(document->get<std::string>("username_key"), *std::move(user));
    }
  }
  for (auto& [key, user] : found) {
    if (users.size() < static_cast<std::size_t>(limit)) users.push_back(std::move(user));
  }
  return users;
}

bool erase_account(Connection& connection, const UserId& user) {
  if (!find_user(connection, user)) return false;
  connection.remove_all(kSessions, doc("user", user));
  connection.remove_all(kBlocks, doc("user", user));
  connection.remove_all(kBlocks, doc("blocked", user));
  connection.remove_all(kInvites, doc("creator", user));
  // Those that no message refers to are swept as if they were old.
  connection.update(kUploads, doc("uploader", user, "used", false), doc("$set", doc("created_at", Timestamp{})),
                    Update::Which::all);
  // Names that nobody can have, as a unique index wants one.
  const std::string nobody = "/" + user.str();
  connection.update(
      kUsers, doc("_id", user),
      doc("$set", doc("erased", true, "email", nobody, "username_key", nobody, "username", "", "password_hash", ""), "$unset",
          doc("full_name", "", "full_name_key", "", "last_seen", "")));
  return true;
}

Result<> set_block(Connection& connection, const UserId& user, const std::string& email, bool on) {
  const auto blocked = find_user_by_email(connection, email);
  if (!blocked || blocked->id == user) return fail(Errc::bad_request, fmt::format("User not found: {}", email));
  const std::string key = user.str() + "/" + blocked->id.str();
  if (on) {
    connection.insert(kBlocks, doc("_id", key, "user", user, "blocked", blocked->id));
  } else {
    connection.remove_one(kBlocks, doc("_id", key));
  }
  return {};
}

std::vector<std::string> blocks_of(Connection& connection, const UserId& user) {
  People people;
  std::vector<UserId> ids;
  for (const Document& block : connection.find(kBlocks, doc("user", user)).all()) {
    ids.push_back(block.view().get<UserId>("blocked"));
    people.want(ids.back());
  }
  people.load(connection);
  std::vector<std::string> emails;
  for (const UserId& id : ids) {
    if (auto email = people.email(id)) emails.push_back(*std::move(email));
  }
  std::ranges::sort(emails);
  return emails;
}

Document session_document(const Session& session) {
  return doc("_id", session.id, "user", session.user, "device", session.device, "address", session.address, "refresh_hash",
             session.refresh_hash, "created_at", session.created_at, "last_used_at", session.last_used_at, "used",
             used_tokens(session));
}

void create_session(Connection& connection, const Session& session) {
  connection.insert(kSessions, session_document(session));
  // After the insert, so that whoever erases the account either finds the session or is found.
  if (find_user(connection, session.user)) return;
  connection.remove_one(kSessions, doc("_id", session.id));
  throw std::runtime_error("database: a session for nobody");
}

std::optional<Session> find_session(Connection& connection, const SessionId& id) {
  const auto found = connection.find_one(kSessions, doc("_id", id));
  return found ? std::optional(session_from(*found)) : std::nullopt;
}

std::vector<Session> sessions_of(Connection& connection, const UserId& user) {
  std::vector<Session> sessions;
  for (const Document& one : connection.find(kSessions, doc("user", user)).all()) sessions.push_back(session_from(one));
  std::ranges::sort(sessions, [](const Session& left, const Session& right) {
    return left.last_used_at != right.last_used_at ? left.last_used_at > right.last_used_at : left.id < right.id;
  });
  return sessions;
}

void touch_session(Connection& connection, const SessionId& id, Timestamp at) {
  connection.update(kSessions, doc("_id", id), doc("$set", doc("last_used_at", at)));
}

std::optional<Rotated> rotate_session(Connection& connection, const SessionId& id, const Rotation& rotation, Timestamp at) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    auto session = find_session(connection, id);
    if (!session) return std::nullopt;
    const RefreshUse use = rules::judge_refresh(*session, rotation.presented_hash, at);
    if (use == RefreshUse::again) return Rotated{use, *std::move(session)};
    if (use == RefreshUse::reuse) {
      connection.remove_one(kSessions, doc("_id", id));
      return Rotated{use, *std::move(session)};
    }
    // Only what was judged is changed; if someone was quicker it is judged again.
    const Document judged = doc("_id", id, "refresh_hash", session->refresh_hash);
    rules::rotate(*session, rotation, at);
    const Document fields =
        doc("refresh_hash", session->refresh_hash, "last_used_at", session->last_used_at, "used", used_tokens(*session));
    if (connection.update(kSessions, judged, doc("$set", fields)) > 0) return Rotated{use, *std::move(session)};
  }
  throw Overloaded("too many refresh one session");
}

std::vector<Session> end_idle_sessions(Connection& connection, Timestamp before, int limit) {
  FindOptions options;
  options.sort = doc("last_used_at", 1);
  options.limit = limit;
  const Document is_idle = doc("$lt", before);
  std::vector<Session> ended;
  for (const Document& one : connection.find(kSessions, doc("last_used_at", is_idle), options).all()) {
    Session session = session_from(one);
    // Unless it is used at this moment.
    if (connection.remove_one(kSessions, doc("_id", session.id, "last_used_at", is_idle)) > 0)
      ended.push_back(std::move(session));
  }
  return ended;
}

bool end_session(Connection& connection, const SessionId& id, const UserId& owner) {
  return connection.remove_one(kSessions, doc("_id", id, "user", owner)) > 0;
}

std::vector<SessionId> end_sessions_of(Connection& connection, const UserId& user, const std::optional<SessionId>& but) {
  std::vector<SessionId> ended;
  for (const Session& session : sessions_of(connection, user)) {
    if (session.id == but) continue;
    if (end_session(connection, session.id, user)) ended.push_back(session.id);
  }
  return ended;
}

}  // namespace payam::chat::mongo
