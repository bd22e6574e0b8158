#include "chat/store/sqlite/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "chat/rules.hpp"

namespace payam::chat::sqlite {
namespace {

std::optional<User> user_from(Statement& row) {
  if (!row.step()) return std::nullopt;
  return User{row.get<UserId>(0),
              row.get<std::string>(1),
              row.get<std::string>(2),
              row.get<std::optional<std::string>>(3),
              row.get<std::string>(4),
              row.get<Timestamp>(5),
              row.get<std::optional<Timestamp>>(6)};
}

std::optional<Session> session_from(Statement& row) {
  if (!row.step()) return std::nullopt;
  return Session{
      row.get<SessionId>(0),   row.get<UserId>(1),    row.get<std::string>(2), row.get<std::string>(3),
      row.get<std::string>(4), row.get<Timestamp>(5), row.get<Timestamp>(6),   used_tokens_of(row.get<std::string>(7))};
}

std::optional<std::string> key_of(const std::optional<std::string>& name) {
  return name ? std::optional(rules::username_key(*name)) : std::nullopt;
}

}  // namespace

Result<User> create_user(Database& database, User user) {
  const std::string key = rules::username_key(user.username);
  if (database.query("SELECT 1 FROM users WHERE id = ?", user.id).step()) {
    return fail(Errc::conflict, "This id is another user's");  // or was: an erased user keeps it
  }
  if (database.query("SELECT 1 FROM users WHERE email = ?", user.email).step()) {
    return fail(Errc::bad_request, "Email already registered");
  }
  if (database.query("SELECT 1 FROM users WHERE username_key = ?", key).step()) {
    return fail(Errc::bad_request, "Username already registered");
  }
  database.run(
      "INSERT INTO users (id, email, username, username_key, full_name, full_name_key, password_hash, created_at, last_seen)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      user.id, user.email, user.username, key, user.full_name, key_of(user.full_name), user.password_hash, user.created_at,
      user.last_seen);
  return user;
}

Result<User> update_user(Database& database, const UserId& id, const std::optional<std::string>& username,
                         const std::optional<std::string>& full_name) {
  if (!find_user(database, id)) return fail(Errc::not_found, "User not found");
  if (username &&
      database.query("SELECT 1 FROM users WHERE username_key = ? AND id <> ?", rules::username_key(*username), id).step()) {
    return fail(Errc::bad_request, "Username already registered");
  }
  database.run(
      "UPDATE users SET username = coalesce(?, username), username_key = coalesce(?, username_key),"
      " full_name = coalesce(?, full_name), full_name_key = coalesce(?, full_name_key) WHERE id = ?",
      username, key_of(username), full_name, key_of(full_name), id);
  return find_user(database, id).value();
}

void set_password_hash(Database& database, const UserId& user, const std::string& hash) {
  database.run("UPDATE users SET password_hash = ? WHERE id = ? AND email IS NOT NULL", hash, user);
}

bool renew_password_hash(Database& database, const UserId& user, const std::string& old, const std::string& hash) {
  return database.run("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ? AND email IS NOT NULL", hash, user,
                      old) > 0;
}

int highest_password_cost(Database& database) {
  int highest = 0;
  // One for each beginning, which says the cost.
  Statement row = database.query(
      "SELECT min(password_hash) FROM users WHERE length(CAST(password_hash AS BLOB)) = 60 GROUP BY substr(password_hash, 1, "
      "7)");
  while (row.step()) highest = std::max(highest, rules::bcrypt_cost(row.get<std::string>(0)).value_or(0));
  return highest;
}

void set_last_seen(Database& database, const UserId& user, Timestamp at) {
  database.run("UPDATE users SET last_seen = ? WHERE id = ? AND email IS NOT NULL", at, user);
}

std::optional<User> find_user(Database& database, const UserId& id) {
  Statement row = database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE id = ? AND email IS NOT "
      "NULL",
      id);
  return user_from(row);
}

std::optional<User> find_user_by_email(Database& database, const std::string& email) {
  Statement row = database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE email = ?", email);
  return user_from(row);
}

std::optional<User> find_user_by_username(Database& database, const std::string& username) {
  Statement row = database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE username_key = ?",
      rules::username_key(username));
  return user_from(row);
}

// Each part reads at most `limit` rows of its index.
std::vector<User> search_users(Database& database, const std::string& prefix, int limit) {
  std::vector<User> users;
  const std::string first = rules::username_key(prefix);
  if (first.empty()) return users;
  const std::string last = first + "\U0010FFFF";
  Statement row = database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE key IN ("
      " SELECT * FROM (SELECT key FROM users WHERE username_key BETWEEN ?1 AND ?2 LIMIT ?3)"
      " UNION SELECT * FROM (SELECT key FROM users WHERE email BETWEEN ?1 AND ?2 LIMIT ?3)"
      " UNION SELECT * FROM (SELECT key FROM users WHERE full_name_key BETWEEN ?1 AND ?2 LIMIT ?3)) ORDER BY username_key "
      "LIMIT ?3",
      first, last, limit);
  while (auto user = user_from(row)) users.push_back(std::move(*user));
  return users;
}

Result<> set_block(Database& database, const UserId& user, const std::string& email, bool on) {
  const auto blocked = find_user_by_email(database, email);
  if (!blocked || blocked->id == user) return fail(Errc::bad_request, fmt::format("User not found: {}", email));
  if (on) {
    database.run("INSERT OR IGNORE INTO blocks SELECT u.key, b.key FROM users u, users b WHERE u.id = ? AND b.id = ?", user,
                 blocked->id);
  } else {
    database.run(
        "DELETE FROM blocks WHERE user = (SELECT key FROM users WHERE id = ?) AND blocked = (SELECT key FROM users WHERE id = "
        "?)",
        user, blocked->id);
  }
  return {};
}

std::vector<std::string> blocks_of(Database& database, const UserId& user) {
  std::vector<std::string> emails;
  Statement row = database.query(
      "SELECT u.email FROM blocks b CROSS JOIN users u ON u.key = b.blocked WHERE b.user = (SELECT key FROM users WHERE id = ?)"
      " ORDER BY u.email",
      user);
  while (row.step()) emails.push_back(row.get<std::string>(0));
  return emails;
}

void create_session(Database& database, const Session& session) {
  database.run(
      "INSERT INTO sessions (id, user, device, address, refresh_hash, created_at, last_used_at, used_tokens)"
      " VALUES (?, (SELECT key FROM users WHERE id = ? AND email IS NOT NULL), ?, ?, ?, ?, ?, ?)",
      session.id, session.user, session.device, session.address, session.refresh_hash, session.created_at, session.last_used_at,
      used_tokens_text(session.used));
}

void touch_session(Database& database, const SessionId& id, Timestamp at) {
  database.run("UPDATE sessions SET last_used_at = ? WHERE id = ?", at, id);
}

std::optional<Rotated> rotate_session(Database& database, const SessionId& id, const Rotation& rotation, Timestamp at) {
  auto session = find_session(database, id);
  if (!session) return std::nullopt;
  const RefreshUse use = rules::judge_refresh(*session, rotation.presented_hash, at);
  switch (use) {
    case RefreshUse::current:
      rules::rotate(*session, rotation, at);
      database.run("UPDATE sessions SET refresh_hash = ?, last_used_at = ?, used_tokens = ? WHERE id = ?",
                   session->refresh_hash, session->last_used_at, used_tokens_text(session->used), id);
      break;
    case RefreshUse::again: break;
    case RefreshUse::reuse: database.run("DELETE FROM sessions WHERE id = ?", id); break;
  }
  return Rotated{use, *std::move(session)};
}

std::vector<Session> end_idle_sessions(Database& database, Timestamp before, int limit) {
  std::vector<Session> idle;
  {
    Statement row = database.query(
        "SELECT s.id, u.id, s.device, s.address, s.refresh_hash, s.created_at, s.last_used_at, s.used_tokens"
        " FROM sessions s CROSS JOIN users u ON u.key = s.user WHERE s.last_used_at < ? ORDER BY s.last_used_at LIMIT ?",
        before, limit);
    while (auto session = session_from(row)) idle.push_back(std::move(*session));
  }
  for (const Session& session : idle) database.run("DELETE FROM sessions WHERE id = ?", session.id);
  return idle;
}

bool end_session(Database& database, const SessionId& id, const UserId& owner) {
  return database.run("DELETE FROM sessions WHERE id = ? AND user = (SELECT key FROM users WHERE id = ?)", id, owner) > 0;
}

std::vector<SessionId> end_sessions_of(Database& database, const UserId& user, const std::optional<SessionId>& but) {
  std::vector<SessionId> ended;
  for (const Session& session : sessions_of(database, user)) {
    if (session.id == but) continue;
    database.run("DELETE FROM sessions WHERE id = ?", session.id);
    ended.push_back(session.id);
  }
  return ended;
}

std::optional<Session> find_session(Database& database, const SessionId& id) {
  Statement row = database.query(
      "SELECT s.id, u.id, s.device, s.address, s.refresh_hash, s.created_at, s.last_used_at, s.used_tokens"
      " FROM sessions s CROSS JOIN users u ON u.key = s.user WHERE s.id = ?",
      id);
  return session_from(row);
}

std::vector<Session> sessions_of(Database& database, const UserId& user) {
  std::vector<Session> sessions;
  Statement row = database.query(
      "SELECT s.id, u.id, s.device, s.address, s.refresh_hash, s.created_at, s.last_used_at, s.used_tokens"
      " FROM users u CROSS JOIN sessions s ON s.user = u.key WHERE u.id = ? ORDER BY s.last_used_at DESC, s.id",
      user);
  while (auto session = session_from(row)) sessions.push_back(std::move(*session));
  return sessions;
}

// One a line: hash, time, what it was exchanged for. None of them holds a space.
std::string used_tokens_text(const std::vector<UsedToken>& used) {
  std::string text;
  for (const UsedToken& one : used) text += fmt::format("{} {} {}\n", one.hash, one.at.time_since_epoch().count(), one.next);
  return text;
}

std::vector<UsedToken> used_tokens_of(const std::string& text) {
  std::vector<UsedToken> used;
  std::istringstream lines(text);
  UsedToken one;
  for (Millis::rep at = 0; lines >> one.hash >> at >> one.next;) {
    one.at = Timestamp(Millis(at));
    used.push_back(one);
  }
  return used;
}

}  // namespace payam::chat::sqlite
