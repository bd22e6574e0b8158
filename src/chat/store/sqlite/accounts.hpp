// Users, their sessions and their uploads.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// Within a write transaction.
Result<User> create_user(Database& database, User user);
void set_last_seen(Database& database, const UserId& user, Timestamp at);
void create_session(Database& database, const Session& session);
void create_upload(Database& database, const Upload& upload);

std::optional<User> find_user(Database& database, const UserId& id);
std::optional<User> find_user_by_email(Database& database, const std::string& email);
std::optional<User> find_user_by_username(Database& database, const std::string& username);
std::optional<Session> find_session(Database& database, const SessionId& id);
std::optional<Upload> find_upload(Database& database, const UploadId& id, const UserId& viewer);

}  // namespace payam::chat::sqlite
