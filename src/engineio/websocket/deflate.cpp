#include "engineio/websocket/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

namespace payam::eio::websocket {
namespace {

constexpr int kRaw = -15;                                 // no zlib header, the largest window
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);  // taken off every message
constexpr std::string_view kAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

Bytef* bytes(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts off what stands before the next `separator`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return trim(taken);
}

// 8 to 15, without a leading zero (section 7.1.2).
std::optional<int> window_bits(std::string_view value) {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  if (error != std::errc{} || end != value.data() + value.size() || value.starts_with('0')) return std::nullopt;
  return bits >= 8 && bits <= 15 ? std::optional(bits) : std::nullopt;
}

// Whether one offer, without the extension's name, can be accepted. Section 7.1: unknown, doubled or wrong parameters decline
// it.
bool is_acceptable(std::string_view parameters) {
  bool server_takeover = false, client_takeover = false, server_bits = false, client_bits = false;
  const auto once = [](bool& seen) { return !std::exchange(seen, true); };
  while (!parameters.empty()) {
    std::string_view value = take_until(parameters, ';');
    const std::string_view name = take_until(value, '=');
    bool good = false;
    if (name == "server_no_context_takeover") {
      good = value.empty() && once(server_takeover);
    } else if (name == "client_no_context_takeover") {
      good = value.empty() && once(client_takeover);
    } else if (name == "client_max_window_bits") {
      good = (value.empty() || window_bits(value)) && once(client_bits);  // any window of the client's fits into ours
    } else if (name == "server_max_window_bits") {
      good = window_bits(value) == 15 && once(server_bits);  // a smaller one would not fit the shared form
    }
    if (!good) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> accept_deflate(std::string_view offers) {
  while (!offers.empty()) {
    std::string_view offer = take_until(offers, ',');
    if (take_until(offer, ';') != "permessage-deflate" || !is_acceptable(offer)) continue;
    std::string answer(kAnswer);
    if (offer.find("server_max_window_bits") != std::string_view::npos) answer += "; server_max_window_bits=15";
    return answer;
  }
  return std::nullopt;
}

Deflater::Deflater() : stream_(std::make_unique<z_stream>()) {
  if (deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRaw, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

Deflater::~Deflater() { deflateEnd(stream_.get()); }

std::string Deflater::deflate(std::string_view message) {
  deflateReset(stream_.get());
  // The bound is for Z_FINISH; a flush adds an empty block.
  std::string out(deflateBound(stream_.get(), message.size()) + 16, '\0');
  stream_->next_in = bytes(message.data());
  stream_->avail_in = static_cast<uInt>(message.size());
  stream_->next_out = bytes(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  ::deflate(stream_.get(), Z_SYNC_FLUSH);
  out.resize(out.size() - stream_->avail_out - kTail.size());
  return out;
}

Inflater::Inflater() : stream_(std::make_unique<z_stream>()) {
  if (inflateInit2(stream_.get(), kRaw) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

std::expected<std::string_view, CloseCode> Inflater::inflate(std::string_view payload, std::size_t limit) {
  inflateReset(stream_.get());
  output_.clear();
  if (output_.capacity() > kKeptBytes) std::string().swap(output_);
  for (const std::string_view input : {payload, kTail}) {
    if (const auto failure = run(input, limit)) return std::unexpected(*failure);
  }
  return output_;
}

std::optional<CloseCode> Inflater::run(std::string_view input, std::size_t limit) {
  stream_->next_in = bytes(input.data());
  stream_->avail_in = static_cast<uInt>(input.size());
  for (;;) {
    const std::size_t filled = output_.size();
    // One byte over the limit is enough to know.
    const std::size_t room = std::min(std::max<std::size_t>(4 * input.size(), 4096), limit + 1 - filled);
    output_.resize(filled + room);
    stream_->next_out = bytes(output_.data() + filled);
    stream_->avail_out = static_cast<uInt>(room);
    const int result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    output_.resize(output_.size() - stream_->avail_out);
    if (output_.size() > limit) return CloseCode::message_too_big;
    if (result == Z_STREAM_END) {
      inflateReset(stream_.get());  // a final block does not end the message (section 7.2.3.5)
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return CloseCode::invalid_payload;
    }
    if (stream_->avail_in == 0 && stream_->avail_out > 0) return std::nullopt;
    if (result == Z_BUF_ERROR && stream_->avail_out > 0) return CloseCode::invalid_payload;
  }
}

}  // namespace payam::eio::websocket
