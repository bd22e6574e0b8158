// permessage-deflate: what is inflated stays within its limit, what is deflated comes back, and an offer is answered with the
// parameters we keep to.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engineio/websocket/deflate.hpp"
#include "fuzz/require.hpp"

using namespace payam::eio::websocket;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 100'000;
  static Inflater inflater;
  static Deflater deflater;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto inflated = inflater.inflate(bytes, kLimit)) {
    REQUIRE(inflated->size() <= kLimit);
  } else {
    REQUIRE(inflated.error() == CloseCode::message_too_big || inflated.error() == CloseCode::invalid_payload);
  }
  // What came before, a fault too, leaves nothing behind.
  const std::string deflated = deflater.deflate(bytes);
  const auto back = inflater.inflate(deflated, size);
  REQUIRE(back && *back == bytes);
  if (size > 0) REQUIRE(!inflater.inflate(deflated, size - 1));
  if (const auto answer = accept_deflate(bytes)) {
    REQUIRE(answer->starts_with("permessage-deflate"));
    REQUIRE(answer->find_first_of("\r\n") == answer->npos);
  }
  return 0;
}
