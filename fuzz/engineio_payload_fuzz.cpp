// Polling payloads and single packets. What was read must lie in known types, and an end must come after as many steps as
// bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/utf8.hpp"
#include "engineio/packet.hpp"
#include "fuzz/require.hpp"

using namespace payam;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto packet = eio::decode_packet(text)) REQUIRE(packet->data == text.substr(1));

  eio::PayloadReader reader(text);
  eio::Packet packet;
  std::size_t packets = 0;
  while (true) {
    const auto step = reader.next(packet);
    if (step != eio::PayloadReader::Step::packet) break;
    REQUIRE(++packets <= size);
    REQUIRE(packet.binary || is_valid_utf8(packet.data));
    REQUIRE(packet.data.size() <= size);
  }
  return 0;
}
