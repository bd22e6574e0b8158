// Uploads, who may fetch them, and which ones nobody needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// Within a write transaction.
void create_upload(Database& database, const Upload& upload);
bool delete_unused_upload(Database& database, const UploadId& id);
// What no message refers to is unused from now on, whatever its age. `user` is users.key.
void release_uploads_of(Database& database, std::int64_t user);

std::optional<Upload> find_upload(Database& database, const UploadId& id, const UserId& viewer);
std::uint64_t uploaded_bytes(Database& database, const UserId& user);
std::vector<UploadId> unused_uploads(Database& database, Timestamp before, int limit);
std::vector<UploadId> uploads_among(Database& database, const std::vector<UploadId>& ids);

}  // namespace payam::chat::sqlite
