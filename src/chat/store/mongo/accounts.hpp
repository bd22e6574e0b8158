// Users, their blocks and their sessions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/mongo/schema.hpp"

namespace payam::chat::mongo {

std::optional<User> user_from(View document);  // nullopt for one that is erased
Document user_document(const User& user);
Session session_from(View document);
Document session_document(const Session& session);

// As in Store.
Result<User> create_user(Connection& connection, const User& user);
std::optional<User> find_user(Connection& connection, const UserId& id);
std::optional<User> find_user_by_email(Connection& connection, const std::string& email);
std::optional<User> find_user_by_username(Connection& connection, const std::string& username);
Result<User> update_user(Connection& connection, const UserId& id, const std::optional<std::string>& username,
                         const std::optional<std::string>& full_name);
// Of one that is not erased.
void set_of_user(Connection& connection, const UserId& user, View fields);
bool renew_password_hash(Connection& connection, const UserId& user, const std::string& old, const std::string& hash);
int highest_password_cost(Connection& connection);
std::vector<User> search_users(Connection& connection, const std::string& prefix, int limit);
// What is left when the user has left every room: sessions, blocks and invites go, then the names. False if there is none.
bool erase_account(Connection& connection, const UserId& user);

Result<> set_block(Connection& connection, const UserId& user, const std::string& email, bool on);
std::vector<std::string> blocks_of(Connection& connection, const UserId& user);

void create_session(Connection& connection, const Session& session);
std::optional<Session> find_session(Connection& connection, const SessionId& id);
std::vector<Session> sessions_of(Connection& connection, const UserId& user);
void touch_session(Connection& connection, const SessionId& id, Timestamp at);
std::optional<Rotated> rotate_session(Connection& connection, const SessionId& id, const Rotation& rotation, Timestamp at);
std::vector<Session> end_idle_sessions(Connection& connection, Timestamp before, int limit);
bool end_session(Connection& connection, const SessionId& id, const UserId& owner);
std::vector<SessionId> end_sessions_of(Connection& connection, const UserId& user, const std::optional<SessionId>& but);

}  // namespace payam::chat::mongo
