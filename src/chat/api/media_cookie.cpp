#include "chat/api/media_cookie.hpp"

#include <fmt/format.h>

namespace payam::chat::api {

std::string media_cookie(const std::string& token, std::chrono::seconds lifetime, bool secure) {
  return fmt::format("{}={}; Path=/media; Max-Age={}; HttpOnly; SameSite=Strict{}", kMediaCookie, token, lifetime.count(),
                     secure ? "; Secure" : "");
}

}  // namespace payam::chat::api
