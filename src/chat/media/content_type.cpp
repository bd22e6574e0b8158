#include "chat/media/content_type.hpp"

#include <magic.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <vector>

namespace payam::chat {
namespace {

constexpr std::size_t kLookedAt = 256 * 1024;  // bytes; formats show themselves well before

struct MagicClose {
  void operator()(magic_t cookie) const { magic_close(cookie); }
};
using Magic = std::unique_ptr<magic_set, MagicClose>;

// A cookie is for one thread at a time; loaded when first needed, so that a server without uploads never pays for it.
magic_t thread_cookie() {
  thread_local const Magic cookie = [] {
    Magic made(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF));
    if (made && magic_load(made.get(), nullptr) != 0) made.reset();
    return made;
  }();
  return cookie.get();
}

bool is_mime_type(std::string_view text) {
  const auto slash = text.find('/');
  return slash != text.npos && slash > 0 && slash + 1 < text.size() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.+-_") == text.npos;
}

}  // namespace

std::string detect_content_type(int descriptor) {
  constexpr const char* kUnknown = "application/octet-stream";
  std::vector<char> head(kLookedAt);
  const auto size = ::pread(descriptor, head.data(), head.size(), 0);
  const magic_t cookie = thread_cookie();
  if (size <= 0 || cookie == nullptr) return kUnknown;
  const char* type = magic_buffer(cookie, head.data(), static_cast<std::size_t>(size));
  // It says what went wrong in the same way ("cannot open …").
  if (type == nullptr || !is_mime_type(type)) return kUnknown;
  return type;
}

}  // namespace payam::chat
