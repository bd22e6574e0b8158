// What the calls with passwords share: what a client gets that has signed in or refreshed (RFC 6749 section 5.1, and the cookie
// for pictures), and how they are refused.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "chat/api/rest.hpp"
#include "chat/service/entry_limits.hpp"
#include "chat/service/sessions.hpp"

namespace payam::chat::api {

struct TokenReply {
  std::string access_token;
  std::string token_type = "bearer";
  std::int64_t expires_in = 0;  // seconds
  std::string refresh_token;
};
BOOST_DESCRIBE_STRUCT(TokenReply, (), (access_token, token_type, expires_in, refresh_token))

http::Reply<TokenReply> token_reply(const SignedIn& signed_in, bool secure);

// Requested once nobody waits for the answer any more.
std::stop_token until_gone(http::Request& request);

// 422 for a password that the operator lets nobody have; nullopt for any other.
std::optional<http::Refusal> refuse_denied(const Services& services, std::string_view password, const char* field);

// A service's refusal with its `Retry-After`.
http::Refusal refusal_of(Refused refused);

}  // namespace payam::chat::api
