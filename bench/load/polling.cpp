#include "load/polling.hpp"

#include <strings.h>

#include <cstdlib>
#include <optional>

namespace payam::bench {
namespace {

constexpr char kSeparator = '\x1e';

std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':' && strncasecmp(line.data(), name.data(), name.size()) == 0) {
      auto value = line.substr(name.size() + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      return value;
    }
  }
  return {};
}

// The body of a chunked message (RFC 9112 section 7.1) and the bytes it takes; nullopt while it is not complete.
std::optional<std::pair<std::string, std::size_t>> read_chunks(std::string_view data) {
  std::string body;
  std::size_t at = 0;
  for (;;) {
    const auto line = data.find("\r\n", at);
    if (line == std::string_view::npos) return std::nullopt;
    const auto size = std::strtoull(std::string(data.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (data.size() < at + size + 2) return std::nullopt;
    body.append(data.substr(at, size));
    at += size + 2;
    if (size == 0) return std::pair(std::move(body), at);
  }
}

}  // namespace

void PollingClient::send(std::string_view packet) {
  if (!outgoing_.empty()) outgoing_ += kSeparator;
  outgoing_ += packet;
}

void PollingClient::send_binary(std::string_view) { fail(); }

void PollingClient::request() {
  std::string target = options_.path + "?EIO=4&transport=polling";
  if (!sid_.empty()) target += "&sid=" + sid_;
  posting_ = !outgoing_.empty();
  std::string text =
      (posting_ ? "POST " : "GET ") + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) + "\r\n";
  if (posting_) {
    text += "Content-Type: text/plain; charset=UTF-8\r\nContent-Length: " + std::to_string(outgoing_.size()) + "\r\n\r\n" +
            outgoing_;
    outgoing_.clear();
  } else {
    text += "\r\n";
  }
  write(text);
}

std::size_t PollingClient::consume(std::string_view data) {
  const auto end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = data.substr(0, end + 2);
  if (!head.starts_with("HTTP/1.1 200")) {
    fail();
    return 0;
  }
  std::size_t used = end + 4;
  std::string chunked;
  std::string_view body;
  if (header(head, "Transfer-Encoding").starts_with("chunked")) {
    auto read = read_chunks(data.substr(used));
    if (!read) return 0;
    used += read->second;
    chunked = std::move(read->first);
    body = chunked;
  } else {
    const auto length = std::strtoull(std::string(header(head, "Content-Length")).c_str(), nullptr, 10);
    if (data.size() - used < length) return 0;
    body = data.substr(used, length);
    used += length;
  }
  if (!posting_) on_payload(body);
  if (!closed()) request();
  return used;
}

void PollingClient::on_payload(std::string_view payload) {
  while (!payload.empty() && !closed()) {
    const auto end = payload.find(kSeparator);
    const std::string_view packet = payload.substr(0, end);
    packet.starts_with('b') ? on_binary(packet) : on_packet(packet);
    payload.remove_prefix(end == std::string_view::npos ? payload.size() : end + 1);
  }
}

}  // namespace payam::bench
