// Bytes that lie elsewhere, in a database say, and are fetched piece by piece while a response goes out: the next one when the
// reader has taken the last, so that a download costs the memory of one piece.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/task.hpp"

namespace payam::http {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Bytes from `offset` on: at least one, at most `limit`, which is not 0. Called on the connection's shard, one call at a
  // time. Throws if they cannot be had: the connection is then closed, so that the reader sees that it was not all.
  virtual Task<std::string> read(std::uint64_t offset, std::uint64_t limit) = 0;
};

}  // namespace payam::http
