#include "chat/store/mongo/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace payam::chat::mongo {
namespace {

constexpr int kVersion = 1;
constexpr const char* kAbout = "payam";  // one document: {_id: "schema", version}

struct IndexesOf {
  const char* collection;
  std::vector<Index> indexes;
};

// By one field each, or by two in this order.
Index by(const char* field, const char* second = nullptr) {
  Index index{std::string("by_") + field, doc(field, 1), false};
  if (second != nullptr) {
    index.name += std::string("_") + second;
    index.keys.add(second, 1);
  }
  return index;
}
Index unique_by(const char* field) {
  Index index = by(field);
  index.unique = true;
  return index;
}

template <class... Indexes>
IndexesOf on(const char* collection, Indexes... indexes) {
  IndexesOf all{collection, {}};
  (all.indexes.push_back(std::move(indexes)), ...);
  return all;
}

std::vector<IndexesOf> all_indexes() {
  std::vector<IndexesOf> all;
  all.push_back(on(kLog, unique_by("place"), unique_by("id"), unique_by("client")));
  all.push_back(on(kMembers, by("room"), by("user")));
  all.push_back(on(kUsers, unique_by("email"), unique_by("username_key"), by("full_name_key")));
  all.push_back(on(kSessions, by("user"), by("last_used_at")));
  all.push_back(on(kBlocks, by("user"), by("blocked")));
  all.push_back(on(kInvites, by("room"), by("creator")));
  all.push_back(on(kUploads, by("uploader"), by("used", "created_at")));
  all.push_back(on(kUploadUses, by("upload"), by("message"), by("room")));
  all.push_back(on(kPins, by("room")));
  all.push_back(on(kSearch, by("terms")));
  return all;
}

}  // namespace

std::string entry_key(const RoomId& room, Rev rev) { return fmt::format("{}/{:012}", room.str(), rev.value); }

std::string place_key(const RoomId& room, Seq seq) { return fmt::format("{}#{:012}", room.str(), seq.value); }

std::string member_key(const RoomId& room, const UserId& user) { return room.str() + "/" + user.str(); }

std::string use_key(const UploadId& upload, const MessageId& message) { return upload.str() + "/" + message.str(); }

std::string client_key(const RoomId& room, const UserId& sender, std::string_view client_id) {
  return fmt::format("c/{}/{}/{}", room.str(), sender.str(), client_id);
}

std::string pair_key(const UserId& one, const UserId& other) {
  const auto [low, high] = std::minmax(one.str(), other.str());
  return fmt::format("pair/{}/{}", low, high);
}

void prepare(Connection& connection) {
  connection.insert(kAbout, doc("_id", "schema", "version", kVersion));
  const auto about = connection.find_one(kAbout, doc("_id", "schema"));
  if (const int version = about ? about->view().get<int>("version") : kVersion; version > kVersion) {
    throw std::runtime_error(
        fmt::format("the database was written by a newer Payam (its schema is {}, this one knows up to {}): use that version",
                    version, kVersion));
  }
  for (const auto& [collection, indexes] : all_indexes()) connection.create_indexes(collection, indexes);
}

void write_a_little(Connection& connection) {
  connection.update(kAbout, doc("_id", "space"), doc("$set", doc("looked_at", wall_now())), Update::Which::one_or_new);
}

}  // namespace payam::chat::mongo
