#include "http/server/response_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <stdexcept>

#include "http/status.hpp"

namespace payam::http {
namespace {

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += (byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c;
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out += ": ";
  append_clean(out, value);
  out += "\r\n";
}

// The fields that frame the message are the connection's alone.
bool is_framing(std::string_view name) {
  for (const std::string_view own : {"Content-Length", "Transfer-Encoding", "Connection", "Date", "X-Request-ID"}) {
    if (equals_ignoring_case(name, own)) return true;
  }
  return false;
}

}  // namespace

std::uint64_t body_length(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
    return *shared ? (*shared)->size() : 0;
  }
  if (const auto* file = std::get_if<FileBody>(&response.body)) return file->length;
  return std::get<SourceBody>(response.body).length;
}

std::string response_head(const Response& response, std::uint64_t length, const ResponseFrame& frame) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  const bool switching = response.status == 101;
  for (const auto& [name, value] : response.headers.all()) {
    if (switching ? !equals_ignoring_case(name, "X-Request-ID") : !is_framing(name)) append_field(head, name, value);
  }
  // RFC 9110 section 8.6: no length with 1xx and 204; with 304 it would be the length of what is not sent.
  if (response.status >= 200 && response.status != 204 && response.status != 304) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", length);
  }
  if (!switching) {
    append_field(head, "Date", frame.date);
    if (frame.close) {
      head += "Connection: close\r\n";
    } else if (frame.http_1_0) {
      head += "Connection: keep-alive\r\n";
    }
  }
  append_field(head, "X-Request-ID", frame.request_id);
  head += "\r\n";
  return head;
}

ResponseWriter::ResponseWriter(Response&& response, const ResponseFrame& frame)
    : head_(response_head(response, http::body_length(response), frame)), body_(std::move(response.body)) {
  const bool bodiless = frame.head_only || response.status < 200 || response.status == 204 || response.status == 304;
  if (bodiless) {
    body_.emplace<std::string>();
  } else if (const auto* file = std::get_if<FileBody>(&body_)) {
    length_ = file->length;
  } else if (const auto* source = std::get_if<SourceBody>(&body_)) {
    length_ = source->length;
  } else {
    length_ = memory().size();
  }
}

std::string_view ResponseWriter::memory() const {
  if (const auto* text = std::get_if<std::string>(&body_)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body_)) {
    return *shared ? std::string_view(**shared) : std::string_view{};
  }
  return {};
}

std::size_t ResponseWriter::kept() const {
  const auto* text = std::get_if<std::string>(&body_);
  return head_.capacity() + piece_.capacity() + (text != nullptr ? text->capacity() : 0);
}

std::string_view ResponseWriter::read_file(std::uint64_t at, std::span<char> scratch) const {
  const auto& file = std::get<FileBody>(body_);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(file.length - at, scratch.size()));
  for (;;) {
    const ssize_t got = ::pread(*file.descriptor, scratch.data(), wanted, static_cast<off_t>(file.offset + at));
    if (got > 0) return {scratch.data(), static_cast<std::size_t>(got)};
    if (got == 0 || errno != EINTR) return {};
  }
}

std::string_view ResponseWriter::piece(std::uint64_t at) const {
  const std::uint64_t done = at - piece_at_;
  return done < piece_.size() ? std::string_view(piece_).substr(static_cast<std::size_t>(done)) : std::string_view();
}

Task<std::string> ResponseWriter::fetch() const {
  const auto& body = std::get<SourceBody>(body_);
  const auto source = body.source;  // outlives this
  const std::uint64_t left = body.length - body_sent();
  std::string bytes = co_await source->read(body.offset + body_sent(), left);
  if (bytes.empty() || bytes.size() > left) throw std::runtime_error("a body's source gives too little or too much");
  co_return bytes;
}

IoStatus ResponseWriter::write(Stream& stream) {
  const std::uint64_t total = head_.size() + length_;
  const std::uint64_t stop = written_ + kTurn;
  while (written_ < total) {
    if (written_ >= stop) return IoStatus::would_block;
    std::array<iovec, 2> pieces;
    std::size_t count = 0;
    const auto add = [&](std::string_view bytes) {
      if (!bytes.empty()) pieces[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    };
    if (written_ < head_.size()) add(std::string_view(head_).substr(static_cast<std::size_t>(written_)));
    const auto at = body_sent();
    if (at < length_) {
      if (std::holds_alternative<FileBody>(body_)) {
        const auto piece = read_file(at, stream.shard().scratch());
        if (piece.empty()) return IoStatus::error;
        add(piece);
      } else if (std::holds_alternative<SourceBody>(body_)) {
        add(piece(at));
        if (count == 0) return IoStatus::ok;
      } else {
        add(memory().substr(static_cast<std::size_t>(at)));
      }
    }
    const auto result = stream.write({pieces.data(), count});
    if (result.status != IoStatus::ok) return result.status;
    written_ += result.bytes;
  }
  return IoStatus::ok;
}

}  // namespace payam::http
