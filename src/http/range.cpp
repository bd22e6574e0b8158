#include "http/range.hpp"

#include <algorithm>
#include <charconv>

namespace payam::http {
namespace {

constexpr std::string_view kUnit = "bytes=";

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Digits alone; a number too large for 64 bits is the largest, since it is past every end.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc::result_out_of_range ? UINT64_MAX : value;
}

// If-None-Match compares weakly (section 13.1.2).
bool names_etag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    std::string_view candidate = trim(list.substr(0, end));
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == "*" || candidate == etag) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Calls `use` with the FileBody or SourceBody that it is.
template <class F>
auto with_stored(Response::Body& body, F use) {
  if (auto* file = std::get_if<FileBody>(&body)) return use(*file);
  return use(std::get<SourceBody>(body));
}

}  // namespace

RangeKind parse_range(std::string_view field, std::uint64_t size, ByteRange& range) {
  if (!equals_ignoring_case(field.substr(0, kUnit.size()), kUnit)) return RangeKind::whole;
  const std::string_view text = trim(field.substr(kUnit.size()));
  const auto dash = text.find('-');
  if (dash == text.npos || text.find(',') != text.npos) return RangeKind::whole;
  const std::string_view first_text = trim(text.substr(0, dash)), last_text = trim(text.substr(dash + 1));
  const auto first = parse_position(first_text), last = parse_position(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty()) || (!first && !last)) return RangeKind::whole;

  if (!first) {  // the last so many
    if (*last == 0 || size == 0) return RangeKind::unsatisfiable;
    range = {size - std::min(*last, size), std::min(*last, size)};
    return RangeKind::part;
  }
  if (last && *last < *first) return RangeKind::whole;
  if (*first >= size) return RangeKind::unsatisfiable;
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  range = {*first, end - *first + 1};
  return RangeKind::part;
}

Response serve_file(const Request& request, Response::Body body, std::string_view etag) {
  Response response;
  response.headers.add("ETag", std::string(etag));
  response.headers.add("Accept-Ranges", "bytes");
  if (const auto known = request.headers.find("If-None-Match"); known && names_etag(*known, etag)) {
    response.status = 304;
    return response;
  }
  const std::uint64_t size = with_stored(body, [](auto& stored) { return stored.length; });
  const auto field = request.headers.find("Range");
  const auto only_if = request.headers.find("If-Range");
  ByteRange range{0, size};
  // Ranges mean something with GET alone (section 14.2).
  const bool wanted = field && request.method == Method::get && (!only_if || trim(*only_if) == etag);
  switch (wanted ? parse_range(*field, size, range) : RangeKind::whole) {
    case RangeKind::whole: break;
    case RangeKind::part:
      response.status = 206;
      response.headers.add("Content-Range", "bytes " + std::to_string(range.offset) + '-' +
                                                std::to_string(range.offset + range.length - 1) + '/' + std::to_string(size));
      break;
    case RangeKind::unsatisfiable:
      response.status = 416;
      response.headers.add("Content-Range", "bytes */" + std::to_string(size));
      return response;
  }
  with_stored(body, [&range](auto& stored) {
    stored.offset += range.offset;
    stored.length = range.length;
  });
  response.body = std::move(body);
  return response;
}

}  // namespace payam::http
