// Uploads in MongoDB, for every node: GridFS in its standard layout, so that other tools read it.
//
//   fs.files   {_id: id, length, chunkSize, uploadDate, filename: id, metadata: {contentType}}   written last: the file is
//   whole fs.chunks  {_id, files_id: id, n: 0, 1, 2…, data}                                             255 KiB each, unique
//   (files_id, n)
//
// and beside it what is on its way, so that somebody finds the chunks of an upload whose server died:
//
//   fs.incoming {_id: id, at}                                                                     renewed while it goes on
//
// An upload and a download hold one chunk in memory; each chunk is one call to the database, asked for by its number, and no
// thread waits in between.
#pragma once

#include "chat/media/media_store.hpp"
#include "chat/store/mongo/client.hpp"

namespace payam::chat {

class GridfsMedia final : public MediaStore {
 public:
  static constexpr std::size_t kChunkBytes = 255 * 1024;
  // An upload whose record was not renewed for so long is dead: one at the lowest speed a server puts up with needs 255 s a
  // chunk.
  static constexpr std::chrono::minutes kDeadAfter{10};

  // Makes the indexes. Blocks; throws mongo::Outage. `client` outlives this.
  explicit GridfsMedia(mongo::Client& client);

  // Calls throw mongo::Outage.
  std::unique_ptr<Incoming> receive(UploadId id, std::uint64_t limit) override;
  Task<std::optional<http::Response::Body>> open(UploadId id) override;
  Task<> remove(UploadId id) override;
  std::vector<UploadId> next_kept(Timestamp before) override;
  void sweep(Timestamp now) override;

 private:
  class IncomingFile;
  class Chunks;

  mongo::Client& client_;
  UploadId looked_at_;  // the last one that next_kept() gave
};

}  // namespace payam::chat
