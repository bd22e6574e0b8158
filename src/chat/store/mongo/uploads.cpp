#include "chat/store/mongo/uploads.hpp"

#include <algorithm>

#include "chat/rules.hpp"
#include "chat/store/mongo/accounts.hpp"
#include "chat/store/mongo/documents.hpp"
#include "chat/store/mongo/room_log.hpp"

namespace payam::chat::mongo {
namespace {

// The room, in which `actor` may add members.
Result<LogState> find_managed(Connection& connection, const RoomId& room, const UserId& actor) {
  auto state = current_room(connection, room);
  if (!state || !connection.find_one(kUsers, doc("_id", actor))) {
    return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  }
  const auto member = find_member(connection, room, actor);
  const auto role = member && member->active ? std::optional(member->role) : std::nullopt;
  if (auto allowed = rules::may_add_members(state->room.kind, role); !allowed) return std::unexpected(allowed.error());
  return *std::move(state);
}

// An erased account's.
Upload to_be_swept(Upload upload) {
  upload.created_at = Timestamp{};
  return upload;
}

}  // namespace

void create_upload(Connection& connection, const Upload& upload) {
  Document document = upload_document(find_user(connection, upload.uploader) ? upload : to_be_swept(upload));
  document.add("used", false).add("claims", 0);
  connection.insert(kUploads, document);
}

std::optional<Upload> find_upload(Connection& connection, const UploadId& id, const UserId& viewer) {
  const auto found = connection.find_one(kUploads, doc("_id", id));
  if (!found) return std::nullopt;
  Upload upload = upload_from(*found);
  if (upload.uploader == viewer) return upload;
  std::vector<RoomId> rooms;
  for (const Document& use : connection.find(kUploadUses, doc("upload", id)).all()) {
    const auto room = use.view().get<RoomId>("room");
    if (std::ranges::find(rooms, room) == rooms.end()) rooms.push_back(room);
  }
  const bool may_see = std::ranges::any_of(rooms, [&](const RoomId& room) {
    const auto member = find_member(connection, room, viewer);
    return member && member->active && current_room(connection, room);
  });
  return may_see ? std::optional(std::move(upload)) : std::nullopt;
}

std::uint64_t uploaded_bytes(Connection& connection, const UserId& user) {
  std::uint64_t bytes = 0;
  FindOptions options;
  options.projection = doc("size", 1);
  Cursor cursor = connection.find(kUploads, doc("uploader", user), options);
  while (const auto upload = cursor.next()) bytes += upload->get<std::uint64_t>("size");
  return bytes;
}

std::vector<UploadId> unused_uploads(Connection& connection, Timestamp before, int limit) {
  std::vector<UploadId> ids;
  FindOptions options;
  options.sort = doc("created_at", 1);
  options.projection = doc("_id", 1, "created_at", 1);
  options.limit = limit;
  Cursor cursor = connection.find(kUploads, doc("used", false, "created_at", doc("$lt", before)), options);
  while (const auto upload = cursor.next()) ids.push_back(upload->get<UploadId>("_id"));
  return ids;
}

bool delete_unused_upload(Connection& connection, const UploadId& id) {
  return connection.remove_one(kUploads, doc("_id", id, "used", false)) > 0;
}

std::vector<UploadId> uploads_among(Connection& connection, const std::vector<UploadId>& ids) {
  std::vector<UploadId> found;
  FindOptions options;
  options.projection = doc("_id", 1);
  Cursor cursor = connection.find(kUploads, doc("_id", doc("$in", list(ids))), options);
  while (const auto upload = cursor.next()) found.push_back(upload->get<UploadId>("_id"));
  return found;
}

Result<> create_invite(Connection& connection, const Invite& invite) {
  const auto room = find_managed(connection, invite.room, invite.creator);
  if (!room) return std::unexpected(room.error());
  connection.insert(kInvites,
                    doc("_id", invite.token_hash, "room", invite.room, "rev", room->room.rev, "creator", invite.creator,
                        "created_at", invite.created_at, "expires_at", invite.expires_at, "uses_left", invite.uses_left));
  return {};
}

Result<> delete_invite(Connection& connection, const RoomId& room, const UserId& actor, const std::string& token_hash) {
  if (const auto managed = find_managed(connection, room, actor); !managed) return std::unexpected(managed.error());
  if (connection.remove_one(kInvites, doc("_id", token_hash, "room", room)) == 0) {
    return fail(Errc::not_found, std::string(rules::kInviteNotFound));
  }
  return {};
}

std::optional<Invite> find_invite(Connection& connection, const std::string& token_hash) {
  const auto found = connection.find_one(kInvites, doc("_id", token_hash));
  if (!found) return std::nullopt;
  const View view = *found;
  const auto room = view.get<RoomId>("room");
  if (!current_room(connection, room)) return std::nullopt;
  return Invite{token_hash,
                room,
                view.get<UserId>("creator"),
                view.get<Timestamp>("created_at"),
                view.get<std::optional<Timestamp>>("expires_at"),
                view.get<std::optional<int>>("uses_left")};
}

}  // namespace payam::chat::mongo
