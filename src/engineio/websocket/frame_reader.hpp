// Reads a client's websocket frames as they arrive (RFC 6455 sections 5 and 8.1). Pure, incremental: any cut of the bytes gives
// the same result. A message that lies whole in the bytes fed is handed out without a copy; only an incomplete one is kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
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

  explicit FrameReader(Limits limits) : limits_(limits) {}

  // Unmasks `bytes` in place. nullopt while all is well; otherwise why the connection must be failed (section 7.1.7):
  // protocol_error, invalid_payload or message_too_big. Once it has failed, or seen a close frame, it reads nothing.
  std::optional<CloseCode> feed(std::span<char> bytes, FrameSink& sink);

 private:
  enum class State : std::uint8_t { header, payload, finished };
  enum class Next : std::uint8_t { go_on, stop };

  bool take_header(std::span<char>& bytes);
  std::optional<CloseCode> begin_frame();
  std::optional<CloseCode> take_payload(std::span<char>& bytes, FrameSink& sink, Next& next);
  std::optional<CloseCode> end_control(std::string_view payload, FrameSink& sink, Next& next);
  std::optional<CloseCode> end_data(std::string_view piece, FrameSink& sink, Next& next);
  void unmask(std::span<char> bytes);
  bool in_message() const { return message_opcode_ != Opcode::continuation; }
  std::uint8_t header_need() const;

  Limits limits_;
  State state_ = State::header;

  // The present frame.
  std::array<unsigned char, 14> header_{};
  std::uint8_t header_have_ = 0;
  Opcode opcode_ = Opcode::continuation;
  bool final_ = false;
  std::uint8_t mask_at_ = 0;
  std::array<unsigned char, 4> mask_{};
  std::uint64_t left_ = 0;  // of its payload

  // The present message; its opcode is `continuation` between messages.
  Opcode message_opcode_ = Opcode::continuation;
  bool compressed_ = false;
  Utf8Checker utf8_;
  std::string message_;  // what has arrived of an incomplete one
  std::string control_;  // what has arrived of an incomplete control frame, which may stand inside a message
};

}  // namespace payam::eio::websocket
