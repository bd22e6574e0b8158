// Where the bytes of uploads live: files of a directory (media_files.hpp), or GridFS in the database, where every node has them
// (gridfs_media.hpp). One suite of tests runs on both. Any shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "http/message.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

class MediaStore {
 public:
  struct Kept {
    std::uint64_t size = 0;
    std::string content_type;  // found in the content
  };

  // A file on its way, in constant memory. Its destructor removes what keep() has not taken over, so that an upload that
  // breaks off leaves nothing. One coroutine's.
  class Incoming {
   public:
    virtual ~Incoming() = default;

    // `bytes` stay valid until it returns. Errc::too_large over the limit, Errc::out_of_storage if there is no space; throws
    // in an outage.
    virtual Task<Result<>> write(std::string_view bytes) = 0;
    // Durable under its id when this returns.
    virtual Task<Result<Kept>> keep() = 0;
  };

  virtual ~MediaStore() = default;

  // At most `limit` bytes. `id` is new.
  virtual std::unique_ptr<Incoming> receive(UploadId id, std::uint64_t limit) = 0;

  // All of it, a FileBody or a SourceBody; nullopt if there is no such file.
  virtual Task<std::optional<http::Response::Body>> open(UploadId id) = 0;

  virtual Task<> remove(UploadId id) = 0;

  // Some of the files that were kept before then: each call goes on where the last one ended, round and round. Blocks: not on a
  // shard, and one call at a time.
  virtual std::vector<UploadId> next_kept(Timestamp before) = 0;

  // Removes what uploads left that were torn by a crash of their server. Blocks: not on a shard. Now and then.
  virtual void sweep(Timestamp now) = 0;
};

}  // namespace payam::chat
