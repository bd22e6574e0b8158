// Access tokens: JSON Web Tokens (RFC 7519) in the compact form, signed by our own keys and nobody else's.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "chat/auth/token_key.hpp"
#include "chat/model.hpp"

namespace payam::chat {

// What a token is good for: everything, or only fetching media (the cookie a browser sends with an <img>).
enum class Audience : std::uint8_t { api, media };

struct Claims {
  std::string subject;  // e-mail, for other services; we go by the session
  SessionId session;
  Audience audience = Audience::api;  // `aud`, left out for the API
  std::string id;                     // jti
  Timestamp issued_at{};              // whole seconds
  Timestamp expires_at{};             // whole seconds; from this moment on the token is refused

  bool operator==(const Claims&) const = default;
};

// Why a token was refused. People are told none of it; tests and the debug log are.
enum class TokenFault : std::uint8_t { malformed, algorithm, unknown_key, signature, claims, expired };

// Issues and verifies. The first key signs; the others, from before a rotation, only verify. Immutable; any thread.
class Tokens {
 public:
  static constexpr std::size_t kMaxBytes = 4096;

  // At least one key.
  Tokens(std::vector<TokenKey> keys, std::chrono::seconds lifetime);

  std::chrono::seconds lifetime() const { return lifetime_; }
  std::string issue(const std::string& subject, const SessionId& session, Timestamp now,
                    Audience audience = Audience::api) const;
  // The algorithm is the key's, no leeway on `exp`. Costs a signature check (0.1 ms with ES256).
  std::expected<Claims, TokenFault> verify(std::string_view token, Timestamp now) const;
  // RFC 7517; an empty set with HS256.
  std::string jwks() const;

 private:
  std::vector<TokenKey> keys_;
  std::chrono::seconds lifetime_;
};

}  // namespace payam::chat
