// Multipart bodies: however the bytes are cut, the same parts come out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.hpp"
#include "http/multipart.hpp"

using payam::http::MultipartReader;

namespace {

// What was read, as text: names, data joined, the end.
std::string read(std::string_view body, std::size_t piece) {
  MultipartReader reader("x-y");
  std::string out;
  std::size_t at = 0;
  while (true) {
    switch (reader.next()) {
      case MultipartReader::Event::need_input:
        if (at == body.size()) {
          reader.finish();
        } else {
          const auto length = std::min(piece, body.size() - at);
          reader.give(body.substr(at, length));
          at += length;
        }
        break;
      case MultipartReader::Event::part:
        out += "\npart " + reader.part().name + "|" + reader.part().filename.value_or("-") + "|" + reader.part().content_type +
               ":";
        break;
      case MultipartReader::Event::data:
        REQUIRE(reader.data().size() <= body.size());
        out += reader.data();
        break;
      case MultipartReader::Event::part_end: out += "\npart end"; break;
      case MultipartReader::Event::end: return out + "\nend";
      case MultipartReader::Event::malformed:
        REQUIRE(*reader.error() != '\0');
        // Data before a fault may have been handed out or not, by where the cut fell.
        return "malformed";
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(body, body.size() + 1);
  REQUIRE(read(body, 1) == whole);
  REQUIRE(read(body, piece) == whole);
  return 0;
}
