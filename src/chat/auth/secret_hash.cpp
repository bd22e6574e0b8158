#include "chat/auth/secret_hash.hpp"

#include <openssl/sha.h>

#include <array>

#include "base/base64.hpp"

namespace payam::chat {

std::string hash_secret(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace payam::chat
