#include "chat/auth/secret_hash.hpp"

#include "base/base64.hpp"
#include "chat/auth/sha256.hpp"

namespace payam::chat {

std::string hash_secret(std::string_view token) {
  const Sha256 digest = sha256(token);
  return base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace payam::chat
