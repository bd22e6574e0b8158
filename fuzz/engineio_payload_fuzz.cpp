// Polling payloads and single packets, of both versions of the protocol. What was read must lie in known types, and an end must
// come after as many steps as bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "engineio/packet.hpp"
#include "engineio/payload_v3.hpp"
#include "fuzz/require.hpp"

using namespace payam;

namespace {

template <class Reader>
void read_all(Reader reader, std::size_t size) {
  eio::Packet packet;
  std::size_t packets = 0;
  while (reader.next(packet) == eio::PayloadReader::Step::packet) {
    REQUIRE(++packets <= size);
    REQUIRE(packet.binary || is_valid_utf8(packet.data));
    REQUIRE(packet.data.size() <= size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto packet = eio::decode_packet(text)) REQUIRE(packet->data == text.substr(1));
  std::string bytes;
  for (const bool binary : {false, true}) {
    if (auto packet = eio::decode_packet_v3(text, binary, bytes)) REQUIRE(packet->data.size() < size);
  }
  read_all(eio::PayloadReader(text), size);
  read_all(eio::PayloadReaderV3(text, eio::PayloadForm::text), size);
  read_all(eio::PayloadReaderV3(text, eio::PayloadForm::octets), size);
  return 0;
}
