// Byte ranges (RFC 9110 section 14), one at a time: several ranges in one request may be answered with the whole, and are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace payam::http {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const ByteRange&) const = default;
};

enum class RangeKind { whole, part, unsatisfiable };

// What a Range field asks of `size` bytes. What cannot be read is ignored (section 14.2): the whole.
RangeKind parse_range(std::string_view field, std::uint64_t size, ByteRange& range);

// A GET of unchanging content: 200, 206, 304 or 416 by Range, If-Range and If-None-Match, with Accept-Ranges and ETag. `etag`
// with its quotes. `body` is a FileBody or a SourceBody; all of it is sent, or the part asked for.
Response serve_file(const Request& request, Response::Body body, std::string_view etag);

}  // namespace payam::http
