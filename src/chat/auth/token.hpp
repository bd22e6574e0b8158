// Access tokens: JSON Web Tokens (RFC 7519) in the compact form, signed by our own keys and nobody else's.
#pragma once

#include <atomic>
#include <boost/json/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "chat/auth/token_key.hpp"
#include "chat/model.hpp"

namespace payam::chat {

// What a token is good for: everything, only fetching media (the cookie a browser sends with an <img>), or one sign-up (an
// invite, which stands for nobody).
enum class Audience : std::uint8_t { api, media, signup };

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

// A key from before a rotation: it signs no more and verifies what it has signed, until that has expired.
struct RetiredKey {
  TokenKey key;
  Timestamp until{};
};

// Issues and verifies. Any thread.
class Tokens {
 public:
  static constexpr std::size_t kMaxBytes = 4096;

  Tokens(TokenKey key, std::chrono::seconds lifetime, std::vector<RetiredKey> retired = {});
  // A rotation; what is under way ends with the keys it began with.
  void replace_keys(TokenKey key, std::vector<RetiredKey> retired);

  std::chrono::seconds lifetime() const { return lifetime_; }
  std::string issue(const std::string& subject, const SessionId& session, Timestamp now,
                    Audience audience = Audience::api) const;
  // An invite to sign up; its `jti` becomes the user's id, so that it is good for one.
  std::string issue_signup(Timestamp now, std::chrono::seconds lifetime) const;
  // The algorithm is the key's, no leeway on `exp`. Costs a signature check (0.1 ms with ES256).
  std::expected<Claims, TokenFault> verify(std::string_view token, Timestamp now) const;
  std::string key_id() const;  // of the signing key; empty with HS256
  // RFC 7517, the signing key first; an empty set with HS256.
  std::string jwks(Timestamp now) const;

 private:
  std::string sign(const boost::json::object& payload) const;

  // The first one signs, and never ends.
  std::atomic<std::shared_ptr<const std::vector<RetiredKey>>> keys_;
  const std::chrono::seconds lifetime_;
};

}  // namespace payam::chat
