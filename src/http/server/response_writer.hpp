// A response on its way out: serialised once, then written as the stream takes it. Owns what it writes; of a file it holds
// only the part being written (the shard's scratch buffer), of a ByteSource one piece, so a slow reader costs little memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/server/byte_source.hpp"
#include "runtime/stream.hpp"

namespace payam::http {

// What the connection adds to a handler's response.
struct ResponseFrame {
  std::string_view date;  // RFC 9110 section 5.6.7
  std::string_view request_id;
  bool head_only = false;  // the request was HEAD
  bool close = false;
  bool http_1_0 = false;  // needs `Connection: keep-alive` to stay open
};

// Status line and fields with the empty line at the end. Control characters in a handler's values are replaced by spaces, so
// that no text of a user's makes a field of its own.
std::string response_head(const Response& response, std::uint64_t body_length, const ResponseFrame& frame);

std::uint64_t body_length(const Response& response);

class ResponseWriter {
 public:
  // Takes the body.
  ResponseWriter(Response&& response, const ResponseFrame& frame);

  // Writes until all that is at hand is written (ok), the stream would block, or it failed (`error`, also when the file cannot
  // be read or is shorter than it was said to be). Ends with would_block after kTurn bytes too, so that one large file does not
  // hold up a shard.
  IoStatus write(Stream& stream);

  // After `ok`: more of the body has to be fetched before it goes on.
  bool wants_piece() const { return written_ < head_.size() + length_; }
  // The body's next bytes; throws if they cannot be had. The writer may end meanwhile.
  Task<std::string> fetch() const;
  void give(std::string piece) {
    piece_ = std::move(piece);
    piece_at_ = body_sent();
  }

  // Bytes of memory that are kept for this response alone.
  std::size_t kept() const;

  std::uint64_t body_sent() const { return written_ > head_.size() ? written_ - head_.size() : 0; }
  std::uint64_t written() const { return written_; }

 private:
  static constexpr std::uint64_t kTurn = 1 << 20;

  std::string_view memory() const;
  // What there is of the piece from `at` on.
  std::string_view piece(std::uint64_t at) const;
  // The file's next bytes in `scratch`; empty on failure.
  std::string_view read_file(std::uint64_t at, std::span<char> scratch) const;

  std::string head_;
  Response::Body body_;
  std::string piece_;  // of a SourceBody
  std::uint64_t piece_at_ = 0;
  std::uint64_t length_ = 0;  // of the body as it goes out; 0 for HEAD
  std::uint64_t written_ = 0;
};

}  // namespace payam::http
