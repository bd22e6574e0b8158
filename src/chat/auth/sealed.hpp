// A small secret kept where others may read: sealed under a passphrase of the operator's. Pure.
//
//   "1." base64url(salt, 16 bytes | nonce, 12 | ciphertext | tag, 16)
//
// AES-256-GCM; the key is HKDF-SHA256 (RFC 5869) of the passphrase, with the salt and with `label` as its info, so that what
// was sealed for one purpose opens for no other. `name` is authenticated with it: a sealed text moved under another name does
// not open.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payam::chat {

struct SealPurpose {
  std::string_view label;
  std::string_view name;
};

std::string seal(std::string_view passphrase, const SealPurpose& purpose, std::string_view secret);

// nullopt: another passphrase, purpose or name, or not what was sealed.
std::optional<std::string> unseal(std::string_view passphrase, const SealPurpose& purpose, std::string_view sealed);

}  // namespace payam::chat
