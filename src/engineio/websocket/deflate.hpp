// permessage-deflate (RFC 7692): the negotiation, and messages in and out. Both sides without context takeover: a compressed
// message stands for itself, so one form of it serves every receiver and an idle connection holds no window.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engineio/websocket/frame.hpp"

struct z_stream_s;

namespace payam::eio::websocket {

// Reads Sec-WebSocket-Extensions (section 9.1 of RFC 6455) and gives the value of the response's, if it offers a
// permessage-deflate that can be accepted; otherwise nothing, and the connection is not compressed.
std::optional<std::string> accept_deflate(std::string_view offers);

// One thread's; keeps zlib's state (about 300 kB) from the first use on.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // The payload of a compressed message (section 7.2.1).
  std::string deflate(std::string_view message);

 private:
  std::unique_ptr<z_stream_s> stream_;
};

// One thread's; keeps zlib's state (about 40 kB) from the first use on.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // A compressed message's bytes (section 7.2.2), valid until the next call. Errors: message_too_big as soon as there are more
  // than `limit`; invalid_payload for what is not deflate's format.
  std::expected<std::string_view, CloseCode> inflate(std::string_view payload, std::size_t limit);

 private:
  static constexpr std::size_t kKeptBytes = 64 * 1024;

  std::optional<CloseCode> run(std::string_view input, std::size_t limit);

  std::unique_ptr<z_stream_s> stream_;
  std::string output_;
};

}  // namespace payam::eio::websocket
