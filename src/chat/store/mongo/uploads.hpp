// Uploads and invites.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/mongo/schema.hpp"

namespace payam::chat::mongo {

// As in Store.
void create_upload(Connection& connection, const Upload& upload);
std::optional<Upload> find_upload(Connection& connection, const UploadId& id, const UserId& viewer);
std::uint64_t uploaded_bytes(Connection& connection, const UserId& user);
std::vector<UploadId> unused_uploads(Connection& connection, Timestamp before, int limit);
bool delete_unused_upload(Connection& connection, const UploadId& id);
std::vector<UploadId> uploads_among(Connection& connection, const std::vector<UploadId>& ids);

Result<> create_invite(Connection& connection, const Invite& invite);
Result<> delete_invite(Connection& connection, const RoomId& room, const UserId& actor, const std::string& token_hash);
std::optional<Invite> find_invite(Connection& connection, const std::string& token_hash);

}  // namespace payam::chat::mongo
