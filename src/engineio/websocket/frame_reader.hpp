// Reads a client's websocket frames as they arrive (RFC 6455 sections 5 and 8.1). Pure, incremental: any cut of the bytes gives
// the same result. A message that lies whole in the bytes fed is handed out without a copy; only an incomplete one is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/held_bytes.hpp"
#include "engineio/websocket/frame.hpp"

namespace payam::eio::websocket {

struct Message {
  std::string_view data;  // valid during the call
  bool binary = false;
  bool compressed = false;  // RSV1: still deflated, its text not yet checked (RFC 7692)
};

// What the reader finds. Each answers whether to go on; after false the rest of the bytes is dropped.
class FrameSink {
 public:
  virtual bool on_message(const Message& message) = 0;
  virtual bool on_ping(std::string_view payload) = 0;
  virtual bool on_pong(std::string_view payload) = 0;
  // Nothing is read after it. `code` is no_status if the frame had none.
  virtual void on_close(CloseCode code, std::string_view reason) = 0;

 protected:
  ~FrameSink() = default;
};

class FrameReader {
 public:
  struct Limits {
    std::size_t max_message = 1'000'000;  // bytes as they arrive, all fragments together
    bool allow_compressed = false;        // permessage-deflate is negotiated
  };

  explicit FrameReader(Limits limits);
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // Unmasks `bytes` in place. nullopt while all is well; otherwise why the connection must be failed (section 7.1.7):
  // protocol_error, invalid_payload or message_too_big. Once it has failed, or seen a close frame, it reads nothing.
  std::optional<CloseCode> feed(std::span<char> bytes, FrameSink& sink);

  // From now on; also inside feed().
  void set_max_message(std::size_t bytes) { terms_.max_message = bytes; }
  std::size_t max_message() const { return terms_.max_message; }
  // Messages are neither kept nor handed out any more, only control frames are.
  void ignore_messages() { terms_.ignore_messages = true; }

  // Reads nothing any more, and keeps nothing. Not inside feed().
  void stop();

  // How much of the present frame's payload is still to come.
  std::uint64_t frame_bytes_left() const;
  // What is kept of an incomplete message, and where its keeper notes what it has paid for that: null if nothing is kept.
  std::size_t kept_bytes() const;
  HeldBytes* charge();

 private:
  class Parser;
  struct Terms {
    std::size_t max_message;
    bool allow_compressed;
    bool ignore_messages = false;
    bool finished = false;
  };

  Terms terms_;
  std::unique_ptr<Parser> parser_;  // only in the middle of a frame or a message: an idle connection holds nothing
};

}  // namespace payam::eio::websocket
