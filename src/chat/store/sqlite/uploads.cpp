#include "chat/store/sqlite/uploads.hpp"

namespace payam::chat::sqlite {
namespace {

constexpr Timestamp kToBeSwept{};  // older than any time one waits for

}  // namespace

void create_upload(Database& database, const Upload& upload) {
  database.run(
      "INSERT INTO uploads (id, uploader, name, content_type, size, width, height, created_at)"
      " VALUES (?1, (SELECT key FROM users WHERE id = ?2), ?3, ?4, ?5, ?6, ?7,"
      " iif(EXISTS (SELECT 1 FROM users WHERE id = ?2 AND email IS NULL), ?9, ?8))",
      upload.id, upload.uploader, upload.name, upload.content_type, upload.size, upload.width, upload.height, upload.created_at,
      kToBeSwept);
}

void release_uploads_of(Database& database, std::int64_t user) {
  database.run("UPDATE uploads SET created_at = ? WHERE uploader = ? AND used = 0", kToBeSwept, user);
}

bool delete_unused_upload(Database& database, const UploadId& id) {
  return database.run("DELETE FROM uploads WHERE id = ? AND used = 0", id) > 0;
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

std::uint64_t uploaded_bytes(Database& database, const UserId& user) {
  Statement row =
      database.query("SELECT coalesce(sum(size), 0) FROM uploads WHERE uploader = (SELECT key FROM users WHERE id = ?)", user);
  row.step();
  return row.get<std::uint64_t>(0);
}

std::vector<UploadId> unused_uploads(Database& database, Timestamp before, int limit) {
  std::vector<UploadId> ids;
  Statement row =
      database.query("SELECT id FROM uploads WHERE used = 0 AND created_at < ? ORDER BY created_at LIMIT ?", before, limit);
  while (row.step()) ids.push_back(row.get<UploadId>(0));
  return ids;
}

std::vector<UploadId> uploads_among(Database& database, const std::vector<UploadId>& ids) {
  std::vector<UploadId> found;
  for (const UploadId& id : ids) {
    if (database.query("SELECT 1 FROM uploads WHERE id = ?", id).step()) found.push_back(id);
  }
  return found;
}

}  // namespace payam::chat::sqlite
