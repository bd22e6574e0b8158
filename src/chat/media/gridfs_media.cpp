#include "chat/media/gridfs_media.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "chat/media/content_type.hpp"
#include "http/server/byte_source.hpp"

namespace payam::chat {
namespace {

using mongo::Connection;
using mongo::doc;

constexpr std::string_view kFiles = "fs.files";
constexpr std::string_view kChunks = "fs.chunks";
constexpr std::string_view kIncoming = "fs.incoming";
constexpr std::chrono::minutes kRenewal{1};
constexpr std::int64_t kKeptAtOnce = 500;

mongo::ObjectId new_object_id() {
  mongo::ObjectId id;
  random_bytes(id.bytes);
  return id;
}

// The file first: without it nobody looks at its chunks.
void remove_all_of(Connection& connection, const UploadId& id) {
  connection.remove_one(kFiles, doc("_id", id));
  connection.remove_all(kChunks, doc("files_id", id));
  connection.remove_one(kIncoming, doc("_id", id));
}

}  // namespace

class GridfsMedia::IncomingFile final : public Incoming {
 public:
  IncomingFile(mongo::Client& client, UploadId id, std::uint64_t limit) : client_(client), id_(std::move(id)), limit_(limit) {}
  ~IncomingFile() override;
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  Task<Result<>> write(std::string_view bytes) override;
  Task<Result<Kept>> keep() override;

 private:
  // What is in buffer_, as the next chunk. On the client's pool.
  void write_chunk(Connection& connection);
  void renew(Connection& connection);

  mongo::Client& client_;
  const UploadId id_;
  const std::uint64_t limit_;
  std::string buffer_;
  std::uint64_t size_ = 0;  // of the chunks written
  int chunks_ = 0;
  std::string content_type_;
  Timestamp renewed_at_{};
  bool begun_ = false;  // there may be something to remove
};

GridfsMedia::IncomingFile::~IncomingFile() {
  if (!begun_) return;
  // Nobody waits for it.
  client_.submit([&client = client_, id = id_] {
    try {
      Connection connection = client.connect();
      remove_all_of(connection, id);
    } catch (const std::exception&) {
      return;  // sweep() does it later
    }
  });
}

Task<Result<>> GridfsMedia::IncomingFile::write(std::string_view bytes) {
  if (bytes.size() > limit_ - size_ - buffer_.size()) {
    co_return fail(Errc::too_large, fmt::format("The file is larger than {} bytes", limit_));
  }
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kChunkBytes - buffer_.size());
    buffer_ += part;
    bytes.remove_prefix(part.size());
    if (buffer_.size() < kChunkBytes) continue;
    auto work = [this](Connection& connection) { write_chunk(connection); };
    co_await client_.run(work);
  }
  co_return Result<>{};
}

Task<Result<MediaStore::Kept>> GridfsMedia::IncomingFile::keep() {
  auto work = [this](Connection& connection) {
    if (!buffer_.empty()) write_chunk(connection);
    if (content_type_.empty()) content_type_ = detect_content_type(std::string_view());  // of an empty file
    if (size_ > 0 && connection.update(kIncoming, doc("_id", id_), doc("$set", doc("at", wall_now()))) == 0) {
      throw std::runtime_error("an upload was taken for dead: do the servers' clocks agree?");
    }
    begun_ = true;
    connection.insert(kFiles, doc("_id", id_, "length", size_, "chunkSize", kChunkBytes, "uploadDate", wall_now(), "filename",
                                  id_, "metadata", doc("contentType", content_type_)));
    begun_ = false;
    if (size_ > 0) connection.remove_one(kIncoming, doc("_id", id_));
  };
  co_await client_.run(work);
  co_return Kept{size_, content_type_};
}

void GridfsMedia::IncomingFile::write_chunk(Connection& connection) {
  if (chunks_ == 0) content_type_ = detect_content_type(buffer_);
  renew(connection);
  connection.insert(kChunks, doc("_id", new_object_id(), "files_id", id_, "n", chunks_, "data",
                                 mongo::Bytes(std::as_bytes(std::span(buffer_)))));
  ++chunks_;
  size_ += buffer_.size();
  buffer_.clear();
}

void GridfsMedia::IncomingFile::renew(Connection& connection) {
  const Timestamp now = wall_now();
  if (begun_ && now - renewed_at_ < kRenewal) return;
  begun_ = true;
  connection.update(kIncoming, doc("_id", id_), doc("$set", doc("at", now)), mongo::Update::Which::one_or_new);
  renewed_at_ = now;
}

// Reads by the chunk's number alone.
class GridfsMedia::Chunks final : public http::ByteSource {
 public:
  Chunks(mongo::Client& client, UploadId id, std::uint64_t chunk_bytes)
      : client_(client), id_(std::move(id)), chunk_bytes_(chunk_bytes) {}

  Task<std::string> read(std::uint64_t offset, std::uint64_t limit) override {
    auto work = [this, n = offset / chunk_bytes_](Connection& connection) {
      const auto chunk = connection.find_one(kChunks, doc("files_id", id_, "n", n));
      if (!chunk) throw std::runtime_error(fmt::format("upload {} has no chunk {}", id_.str(), n));
      const auto data = chunk->view().get<mongo::Bytes>("data");
      return std::string(reinterpret_cast<const char*>(data.data()), data.size());
    };
    std::string bytes = co_await client_.run(work);
    const auto begin = static_cast<std::size_t>(offset % chunk_bytes_);
    if (begin >= bytes.size()) throw std::runtime_error(fmt::format("upload {} has a chunk that is too short", id_.str()));
    bytes.erase(0, begin);
    if (bytes.size() > limit) bytes.resize(static_cast<std::size_t>(limit));
    co_return bytes;
  }

 private:
  mongo::Client& client_;
  const UploadId id_;
  const std::uint64_t chunk_bytes_;
};

GridfsMedia::GridfsMedia(mongo::Client& client) : client_(client) {
  Connection connection = client_.connect();
  // Those of the GridFS specification, by its names.
  const auto create = [&connection](std::string_view collection, const mongo::Document& index) {
    connection.command(doc("createIndexes", collection, "indexes", mongo::Array().push(index)));
  };
  create(kFiles, doc("name", "filename_1_uploadDate_1", "key", doc("filename", 1, "uploadDate", 1)));
  create(kChunks, doc("name", "files_id_1_n_1", "key", doc("files_id", 1, "n", 1), "unique", true));
}

std::unique_ptr<MediaStore::Incoming> GridfsMedia::receive(UploadId id, std::uint64_t limit) {
  return std::make_unique<IncomingFile>(client_, std::move(id), limit);
}

Task<std::optional<http::Response::Body>> GridfsMedia::open(UploadId id) {
  auto work = [&id](Connection& connection) { return connection.find_one(kFiles, doc("_id", id)); };
  const auto file = co_await client_.run(work);
  if (!file) co_return std::nullopt;
  const auto chunk_bytes = file->view().get<std::uint64_t>("chunkSize");
  if (chunk_bytes == 0) throw std::runtime_error(fmt::format("upload {} has chunks of no size", id.str()));
  co_return http::SourceBody{std::make_shared<Chunks>(client_, id, chunk_bytes), 0, file->view().get<std::uint64_t>("length")};
}

Task<> GridfsMedia::remove(UploadId id) {
  auto work = [&id](Connection& connection) {
    // Should this end in the middle, sweep() finds the chunks by it.
    connection.update(kIncoming, doc("_id", id), doc("$set", doc("at", wall_now())), mongo::Update::Which::one_or_new);
    remove_all_of(connection, id);
  };
  co_await client_.run(work);
}

std::vector<UploadId> GridfsMedia::next_kept(Timestamp before) {
  Connection connection = client_.connect();
  mongo::FindOptions options;
  options.sort = doc("_id", 1);
  options.projection = doc("_id", 1);
  options.limit = kKeptAtOnce;
  std::vector<UploadId> ids;
  for (const auto& file :
       connection.find(kFiles, doc("_id", doc("$gt", looked_at_), "uploadDate", doc("$lt", before)), options).all()) {
    ids.push_back(file.view().get<UploadId>("_id"));
  }
  looked_at_ = ids.empty() ? UploadId{} : ids.back();
  return ids;
}

void GridfsMedia::sweep(Timestamp now) {
  Connection connection = client_.connect();
  const auto dead = connection.find(kIncoming, doc("at", doc("$lt", now - kDeadAfter))).all();
  for (const mongo::Document& record : dead) {
    const auto id = record.view().get<UploadId>("_id");
    if (connection.find_one(kFiles, doc("_id", id))) {  // whole: only its record was left behind
      connection.remove_one(kIncoming, doc("_id", id));
    } else {
      remove_all_of(connection, id);
    }
  }
}

}  // namespace payam::chat
