// Access tokens from strangers: without our key none is accepted, whatever it claims.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chat/auth/token.hpp"
#include "fuzz/require.hpp"

using namespace payam;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const chat::Tokens tokens(chat::TokenKey::generate(), std::chrono::minutes(30));
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  REQUIRE(!tokens.verify(token, Timestamp{}));
  return 0;
}
