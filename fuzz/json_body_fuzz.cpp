// Bodies: JSON text to a described struct. What is accepted can be written, read again and is the same; what is not has a
// fault.
#include <boost/describe/class.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "http/codec/parse.hpp"

using namespace payam::http;

namespace {

struct Inner {
  std::string name;
  std::optional<std::int64_t> number;
  bool operator==(const Inner&) const = default;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (name, number))

struct Outer {
  std::string text;
  std::vector<Inner> list;
  std::optional<bool> flag;
  bool operator==(const Outer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (text, list, flag))

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_body<Outer>(text, "application/json");
  if (!parsed) {
    REQUIRE(!parsed.error().empty());
    return 0;
  }
  std::string written;
  Codec<Outer>::write(written, *parsed);
  const auto again = parse_body<Outer>(written, "application/json");
  REQUIRE(again.has_value());
  REQUIRE(*again == *parsed);
  return 0;
}
