// A key that signs and checks tokens, bound to its one algorithm (RFC 7518): ES256 (ECDSA on P-256) or HS256 (HMAC). What a
// token's header says never chooses the algorithm. Immutable; any thread.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace payam::chat {

class TokenKey {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2: no shorter than the hash

  static TokenKey generate();
  // A PEM private key on P-256 (PKCS #8 or SEC 1, not encrypted); the text says what is wrong.
  static Result<TokenKey> from_pem(std::string_view pem);
  static Result<TokenKey> from_secret(std::string secret);

  std::string_view algorithm() const { return pair_ ? "ES256" : "HS256"; }
  // The thumbprint of RFC 7638; empty for HS256, whose tokens carry no `kid`.
  const std::string& id() const { return id_; }

  // ES256: r and s, 32 bytes each (RFC 7518 section 3.4).
  std::string sign(std::string_view text) const;
  bool verify(std::string_view text, std::string_view signature) const;

  // The public key as a JWK object; empty for HS256.
  const std::string& public_jwk() const { return jwk_; }
  // PKCS #8; ES256 only.
  std::string to_pem() const;

 private:
  TokenKey() = default;
  static TokenKey from_pair(std::shared_ptr<EVP_PKEY> pair);

  std::shared_ptr<EVP_PKEY> pair_;  // null for HS256
  std::string secret_;
  std::string id_;
  std::string jwk_;
};

}  // namespace payam::chat
