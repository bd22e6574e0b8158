#include "chat/media/content_type.hpp"

#include <magic.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <vector>

namespace payam::chat {
namespace {

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
  std::vector<char> head(kContentTypeBytes);
  const auto size = ::pread(descriptor, head.data(), head.size(), 0);
  return detect_content_type(std::string_view(head.data(), size > 0 ? static_cast<std::size_t>(size) : 0));
}

std::string detect_content_type(std::string_view head) {
  constexpr const char* kUnknown = "application/octet-stream";
  const magic_t cookie = thread_cookie();
  if (head.empty() || cookie == nullptr) return kUnknown;
  const char* type = magic_buffer(cookie, head.data(), head.size());
  // It says what went wrong in the same way ("cannot open …").
  if (type == nullptr || !is_mime_type(type)) return kUnknown;
  return type;
}

}  // namespace payam::chat
