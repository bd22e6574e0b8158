#include "engineio/websocket/handshake.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"

namespace payam::eio::websocket {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_token(std::string_view list, std::string_view token) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (equal_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool asks_for_websocket(const UpgradeRequest& request) {
  return request.upgrade && request.connection && has_token(*request.upgrade, "websocket") &&
         has_token(*request.connection, "upgrade");
}

std::expected<std::string, UpgradeRefusal> accept(const UpgradeRequest& request) {
  if (!request.get) return std::unexpected(UpgradeRefusal::method_not_allowed);
  if (!asks_for_websocket(request) || !request.key) return std::unexpected(UpgradeRefusal::bad_request);
  if (request.version != "13") return std::unexpected(UpgradeRefusal::unsupported_version);
  const auto nonce = request.key->size() == 24 ? base64_decode(*request.key) : std::nullopt;
  if (!nonce || nonce->size() != 16) return std::unexpected(UpgradeRefusal::bad_request);

  const std::string text = std::string(*request.key).append(kGuid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace payam::eio::websocket
