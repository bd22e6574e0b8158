// Websocket frames: however the bytes are cut, the same messages and the same end come out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "engineio/websocket/frame_reader.hpp"
#include "fuzz/require.hpp"

using namespace payam::eio::websocket;

namespace {

constexpr std::size_t kMaxMessage = 1000;

struct Record final : FrameSink {
  std::vector<std::string> seen;

  bool on_message(const Message& message) override {
    REQUIRE(message.data.size() <= kMaxMessage);
    REQUIRE(message.binary || message.compressed || payam::is_valid_utf8(message.data));
    seen.push_back((message.binary ? "binary " : "text ") + std::string(message.data));
    return true;
  }
  bool on_ping(std::string_view payload) override {
    REQUIRE(payload.size() <= 125);
    seen.push_back("ping " + std::string(payload));
    return true;
  }
  bool on_pong(std::string_view payload) override {
    seen.push_back("pong " + std::string(payload));
    return true;
  }
  void on_close(CloseCode code, std::string_view reason) override {
    seen.push_back("close " + std::to_string(static_cast<int>(code)) + " " + std::string(reason));
  }
};

struct Outcome {
  std::vector<std::string> seen;
  std::optional<CloseCode> failure;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string bytes, std::size_t piece, bool allow_compressed) {
  FrameReader reader({.max_message = kMaxMessage, .allow_compressed = allow_compressed});
  Record record;
  std::optional<CloseCode> failure;
  for (std::size_t at = 0; at < bytes.size() && !failure; at += piece) {
    failure = reader.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), record);
  }
  return {std::move(record.seen), failure};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool allow_compressed = data[0] & 1;
  const std::size_t piece = data[1] + std::size_t{1};
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = read(bytes, bytes.size() + 1, allow_compressed);
  REQUIRE(read(bytes, 1, allow_compressed) == whole);
  REQUIRE(read(bytes, piece, allow_compressed) == whole);
  return 0;
}
