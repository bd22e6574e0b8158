#include "chat/store/sqlite/accounts.hpp"

#include "chat/rules.hpp"

namespace payam::chat::sqlite {
namespace {

std::optional<User> user_from(Statement row) {
  if (!row.step()) return std::nullopt;
  return User{row.get<UserId>(0),
              row.get<std::string>(1),
              row.get<std::string>(2),
              row.get<std::optional<std::string>>(3),
              row.get<std::string>(4),
              row.get<Timestamp>(5),
              row.get<std::optional<Timestamp>>(6)};
}

}  // namespace

Result<User> create_user(Database& database, User user) {
  const std::string key = rules::username_key(user.username);
  if (database.query("SELECT 1 FROM users WHERE email = ?", user.email).step()) {
    return fail(Errc::bad_request, "Email already registered");
  }
  if (database.query("SELECT 1 FROM users WHERE username_key = ?", key).step()) {
    return fail(Errc::bad_request, "Username already registered");
  }
  database.run(
      "INSERT INTO users (id, email, username, username_key, full_name, password_hash, created_at, last_seen)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      user.id, user.email, user.username, key, user.full_name, user.password_hash, user.created_at, user.last_seen);
  return user;
}

void set_last_seen(Database& database, const UserId& user, Timestamp at) {
  database.run("UPDATE users SET last_seen = ? WHERE id = ?", at, user);
}

void create_session(Database& database, const Session& session) {
  database.run(
      "INSERT INTO sessions (id, user, device, address, refresh_hash, created_at, last_used_at)"
      " VALUES (?, (SELECT key FROM users WHERE id = ?), ?, ?, ?, ?, ?)",
      session.id, session.user, session.device, session.address, session.refresh_hash, session.created_at,
      session.last_used_at);
}

void create_upload(Database& database, const Upload& upload) {
  database.run(
      "INSERT INTO uploads (id, uploader, name, content_type, size, width, height, created_at)"
      " VALUES (?, (SELECT key FROM users WHERE id = ?), ?, ?, ?, ?, ?, ?)",
      upload.id, upload.uploader, upload.name, upload.content_type, upload.size, upload.width, upload.height,
      upload.created_at);
}

std::optional<User> find_user(Database& database, const UserId& id) {
  return user_from(
      database.query("SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users"
                     " WHERE id = ? AND email IS NOT NULL",
                     id));
}

std::optional<User> find_user_by_email(Database& database, const std::string& email) {
  return user_from(database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE email = ?", email));
}

std::optional<User> find_user_by_username(Database& database, const std::string& username) {
  return user_from(database.query(
      "SELECT id, username, email, full_name, password_hash, created_at, last_seen FROM users WHERE username_key = ?",
      rules::username_key(username)));
}

std::optional<Session> find_session(Database& database, const SessionId& id) {
  Statement row = database.query(
      "SELECT u.id, s.device, s.address, s.refresh_hash, s.created_at, s.last_used_at FROM sessions s JOIN users u ON u.key = "
      "s.user"
      " WHERE s.id = ?",
      id);
  if (!row.step()) return std::nullopt;
  return Session{id,
                 row.get<UserId>(0),
                 row.get<std::string>(1),
                 row.get<std::string>(2),
                 row.get<std::string>(3),
                 row.get<Timestamp>(4),
                 row.get<Timestamp>(5)};
}

std::optional<Upload> find_upload(Database& database, const UploadId& id, const UserId& viewer) {
  Statement row = database.query(
      "SELECT u.id, f.name, f.content_type, f.size, f.width, f.height, f.created_at FROM uploads f JOIN users u ON u.key = "
      "f.uploader"
      " WHERE f.id = ?1 AND (u.id = ?2 OR EXISTS (SELECT 1 FROM message_uploads a CROSS JOIN members m ON m.room = a.room"
      " WHERE a.upload = f.key AND m.user = (SELECT key FROM users WHERE id = ?2)))",
      id, viewer);
  if (!row.step()) return std::nullopt;
  return Upload{id,
                row.get<UserId>(0),
                row.get<std::string>(1),
                row.get<std::string>(2),
                row.get<std::uint64_t>(3),
                row.get<std::optional<int>>(4),
                row.get<std::optional<int>>(5),
                row.get<Timestamp>(6)};
}

}  // namespace payam::chat::sqlite
