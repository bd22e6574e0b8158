// Users, their sessions and their blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// Within a write transaction.
Result<User> create_user(Database& database, User user);
Result<User> update_user(Database& database, const UserId& user, const std::optional<std::string>& username,
                         const std::optional<std::string>& full_name);
void set_password_hash(Database& database, const UserId& user, const std::string& hash);
bool renew_password_hash(Database& database, const UserId& user, const std::string& old, const std::string& hash);
void set_last_seen(Database& database, const UserId& user, Timestamp at);
Result<> set_block(Database& database, const UserId& user, const std::string& email, bool on);
void create_session(Database& database, const Session& session);
void touch_session(Database& database, const SessionId& id, Timestamp at);
std::optional<Rotated> rotate_session(Database& database, const SessionId& id, const Rotation& rotation, Timestamp at);
std::vector<Session> end_idle_sessions(Database& database, Timestamp before, int limit);
bool end_session(Database& database, const SessionId& id, const UserId& owner);
std::vector<SessionId> end_sessions_of(Database& database, const UserId& user, const std::optional<SessionId>& but);

std::optional<User> find_user(Database& database, const UserId& id);
std::optional<User> find_user_by_email(Database& database, const std::string& email);
std::optional<User> find_user_by_username(Database& database, const std::string& username);
std::vector<User> search_users(Database& database, const std::string& prefix, int limit);
std::vector<std::string> blocks_of(Database& database, const UserId& user);
std::optional<Session> find_session(Database& database, const SessionId& id);
std::vector<Session> sessions_of(Database& database, const UserId& user);
int highest_password_cost(Database& database);

// As `sessions.used_tokens` keeps them.
std::string used_tokens_text(const std::vector<UsedToken>& used);
std::vector<UsedToken> used_tokens_of(const std::string& text);

}  // namespace payam::chat::sqlite
