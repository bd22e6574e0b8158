// The small grammars of HTTP: queries and forms, header values, Accept, boundaries, ranges.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "http/header_value.hpp"
#include "http/message.hpp"
#include "http/multipart.hpp"
#include "http/range.hpp"

using namespace payam::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = Query::parse(text);
  REQUIRE(query.all().size() <= size + 1);
  for (const auto& [name, value] : query.all()) REQUIRE(name.size() + value.size() <= size);
  parse_header_value(text);
  parse_header_value(text, Quoting::form_data);
  if (auto boundary = multipart_boundary(text)) REQUIRE(!boundary->empty() && boundary->size() <= 70);
  constexpr std::array<std::string_view, 2> offered{"application/json", "text/html"};
  if (auto chosen = negotiate(text, offered)) REQUIRE(*chosen < offered.size());
  prefers_html(text);
  ByteRange range;
  if (parse_range(text, 1000, range) == RangeKind::part) REQUIRE(range.length > 0 && range.offset + range.length <= 1000);
  accepts_gzip(text);
  return 0;
}
