#include "engineio/websocket/frame_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/utf8.hpp"

namespace payam::eio::websocket {
namespace {

constexpr std::uint8_t kRsv23 = 0x30;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kKeptBytes = 1024;  // a larger buffer is given back after its message

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

bool is_known(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

void release(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBytes) std::string().swap(buffer);
}

}  // namespace

// The frame and the message that are being read.
class FrameReader::Parser {
 public:
  std::optional<CloseCode> feed(std::span<char> bytes, FrameSink& sink, const Terms& terms);
  bool finished() const { return state_ == State::finished; }
  // Nothing has begun: a parser made anew would go on the same way.
  bool is_fresh() const { return state_ == State::header && header_have_ == 0 && !in_message(); }
  std::uint64_t frame_bytes_left() const { return state_ == State::payload ? left_ : 0; }
  std::size_t kept_bytes() const { return message_.capacity() + control_.capacity(); }

  HeldBytes held;  // for what it keeps

 private:
  enum class State : std::uint8_t { header, payload, finished };
  enum class Next : std::uint8_t { go_on, stop };

  bool take_header(std::span<char>& bytes);
  std::optional<CloseCode> begin_frame(const Terms& terms);
  std::optional<CloseCode> take_payload(std::span<char>& bytes, FrameSink& sink, const Terms& terms, Next& next);
  std::optional<CloseCode> end_control(std::string_view payload, FrameSink& sink, Next& next);
  std::optional<CloseCode> end_data(std::string_view piece, FrameSink& sink, Next& next);
  void unmask(std::span<char> bytes);
  bool in_message() const { return message_opcode_ != Opcode::continuation; }
  std::uint8_t header_need() const;

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

FrameReader::FrameReader(Limits limits)
    : terms_{.max_message = limits.max_message, .allow_compressed = limits.allow_compressed} {}
FrameReader::~FrameReader() = default;

std::optional<CloseCode> FrameReader::feed(std::span<char> bytes, FrameSink& sink) {
  if (terms_.finished) return std::nullopt;
  Parser on_stack;
  Parser& parser = parser_ ? *parser_ : on_stack;
  const auto failure = parser.feed(bytes, sink, terms_);
  terms_.finished = parser.finished();
  if (terms_.finished || parser.is_fresh()) {
    parser_.reset();
  } else if (!parser_) {
    parser_ = std::make_unique<Parser>(std::move(on_stack));
  }
  return failure;
}

void FrameReader::stop() {
  terms_.finished = true;
  parser_.reset();
}

std::uint64_t FrameReader::frame_bytes_left() const { return parser_ ? parser_->frame_bytes_left() : 0; }
std::size_t FrameReader::kept_bytes() const { return parser_ ? parser_->kept_bytes() : 0; }
HeldBytes* FrameReader::charge() { return parser_ ? &parser_->held : nullptr; }

std::optional<CloseCode> FrameReader::Parser::feed(std::span<char> bytes, FrameSink& sink, const Terms& terms) {
  // A frame without payload is complete with its header: the loop must not wait for a further byte.
  while (state_ != State::finished && (!bytes.empty() || (state_ == State::payload && left_ == 0))) {
    std::optional<CloseCode> failure;
    Next next = Next::go_on;
    if (state_ == State::header) {
      if (take_header(bytes)) failure = begin_frame(terms);
    } else {
      failure = take_payload(bytes, sink, terms, next);
    }
    if (failure) {
      state_ = State::finished;
      return failure;
    }
    if (next == Next::stop) break;
  }
  return std::nullopt;
}

std::uint8_t FrameReader::Parser::header_need() const {
  if (header_have_ < 2) return 2;
  const unsigned length = header_[1] & 0x7fu;
  const unsigned extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  // An unmasked frame is refused by its first two bytes: there is no key to wait for.
  return static_cast<std::uint8_t>((header_[1] & kMasked) == 0 ? 2 : 2 + extended + 4);
}

// True once the header is complete.
bool FrameReader::Parser::take_header(std::span<char>& bytes) {
  for (;;) {
    const std::uint8_t need = header_need();
    const auto take = std::min<std::size_t>(need - header_have_, bytes.size());
    std::memcpy(header_.data() + header_have_, bytes.data(), take);
    bytes = bytes.subspan(take);
    header_have_ = static_cast<std::uint8_t>(header_have_ + take);
    if (header_have_ < need) return false;
    if (header_need() == need) return true;
  }
}

std::optional<CloseCode> FrameReader::Parser::begin_frame(const Terms& terms) {
  const std::uint8_t first = header_[0];
  if ((header_[1] & kMasked) == 0) return CloseCode::protocol_error;  // section 5.1
  if ((first & kRsv23) != 0 || !is_known(first & 0x0f)) return CloseCode::protocol_error;
  opcode_ = static_cast<Opcode>(first & 0x0f);
  final_ = (first & kFin) != 0;
  const bool rsv1 = (first & kRsv1) != 0;

  left_ = header_[1] & 0x7fu;
  const std::size_t key_at = header_have_ - 4u;
  if (left_ >= 126) {
    left_ = 0;
    for (std::size_t i = 2; i < key_at; ++i) left_ = left_ << 8 | header_[i];
  }
  std::memcpy(mask_.data(), header_.data() + key_at, 4);
  mask_at_ = 0;
  header_have_ = 0;
  state_ = State::payload;

  if (is_control(opcode_)) {
    return !final_ || rsv1 || left_ > kMaxControlPayload ? std::optional(CloseCode::protocol_error) : std::nullopt;
  }
  if (opcode_ == Opcode::continuation) {
    if (!in_message() || rsv1) return CloseCode::protocol_error;
  } else {
    if (in_message() || (rsv1 && !terms.allow_compressed)) return CloseCode::protocol_error;
    message_opcode_ = opcode_;
    compressed_ = rsv1;
    utf8_ = {};
  }
  if (message_.size() > terms.max_message || left_ > terms.max_message - message_.size()) return CloseCode::message_too_big;
  return std::nullopt;
}

std::optional<CloseCode> FrameReader::Parser::take_payload(std::span<char>& bytes, FrameSink& sink, const Terms& terms,
                                                           Next& next) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  const std::span<char> piece = bytes.first(take);
  bytes = bytes.subspan(take);
  unmask(piece);
  left_ -= take;
  const std::string_view text(piece.data(), piece.size());

  if (is_control(opcode_)) {
    if (left_ > 0 || !control_.empty()) control_.append(text);
    if (left_ > 0) return std::nullopt;
    state_ = State::header;
    return end_control(control_.empty() ? text : std::string_view(control_), sink, next);
  }
  if (message_opcode_ == Opcode::text && !compressed_ && !utf8_.feed(text)) return CloseCode::invalid_payload;
  if (left_ > 0 || !final_) {
    if (!terms.ignore_messages) message_.append(text);
    if (left_ == 0) state_ = State::header;
    return std::nullopt;
  }
  state_ = State::header;
  if (terms.ignore_messages) {
    message_opcode_ = Opcode::continuation;
    release(message_);
    return std::nullopt;
  }
  return end_data(text, sink, next);
}

std::optional<CloseCode> FrameReader::Parser::end_control(std::string_view payload, FrameSink& sink, Next& next) {
  if (opcode_ == Opcode::close) {
    state_ = State::finished;
    if (payload.empty()) {
      sink.on_close(CloseCode::no_status, {});
      return std::nullopt;
    }
    if (payload.size() == 1) return CloseCode::protocol_error;
    const auto code =
        static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
    if (!is_sendable(code)) return CloseCode::protocol_error;
    if (!is_valid_utf8(payload.substr(2))) return CloseCode::invalid_payload;
    sink.on_close(static_cast<CloseCode>(code), payload.substr(2));
    return std::nullopt;
  }
  const bool on = opcode_ == Opcode::ping ? sink.on_ping(payload) : sink.on_pong(payload);
  release(control_);
  if (!on) next = Next::stop;
  return std::nullopt;
}

// `piece` is the last of the message; all of it, if nothing was kept.
std::optional<CloseCode> FrameReader::Parser::end_data(std::string_view piece, FrameSink& sink, Next& next) {
  Message message{.data = piece, .binary = message_opcode_ == Opcode::binary, .compressed = compressed_};
  if (!message.binary && !compressed_ && !utf8_.complete()) return CloseCode::invalid_payload;
  message_opcode_ = Opcode::continuation;
  if (!message_.empty()) {
    message_.append(piece);
    message.data = message_;
  }
  const bool on = sink.on_message(message);
  release(message_);
  if (!on) next = Next::stop;
  return std::nullopt;
}

// Section 5.3. Eight bytes at a time; the key goes on where the last piece of the frame ended.
void FrameReader::Parser::unmask(std::span<char> bytes) {
  std::array<unsigned char, 8> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask_[(mask_at_ + i) & 3];
  std::uint64_t key_word;
  std::memcpy(&key_word, key.data(), 8);
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    word ^= key_word;
    std::memcpy(bytes.data() + at, &word, 8);
  }
  for (; at < bytes.size(); ++at) bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ key[at & 7]);
  mask_at_ = static_cast<std::uint8_t>((mask_at_ + bytes.size()) & 3);
}

}  // namespace payam::eio::websocket
