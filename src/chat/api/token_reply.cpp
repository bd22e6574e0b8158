#include "chat/api/token_reply.hpp"

#include "chat/api/media_cookie.hpp"

namespace payam::chat::api {

http::Reply<TokenReply> token_reply(const SignedIn& signed_in, bool secure) {
  http::Reply<TokenReply> reply(TokenReply{.access_token = signed_in.access_token,
                                           .expires_in = signed_in.expires_in.count(),
                                           .refresh_token = signed_in.refresh_token});
  reply.headers.add("Set-Cookie", media_cookie(signed_in.media_token, signed_in.expires_in, secure));
  reply.headers.add("Cache-Control", "no-store");
  return reply;
}

std::stop_token until_gone(http::Request& request) {
  std::stop_source source;
  request.on_abort = [source]() mutable { source.request_stop(); };
  return source.get_token();
}

std::optional<http::Refusal> refuse_denied(const Services& services, std::string_view password, const char* field) {
  if (!services.accounts.is_denied(password)) return std::nullopt;
  http::Faults faults;
  faults.push_back({"value_error",
                    {"body", field},
                    "Value error, " + std::string(PasswordDenylist::kRefused),
                    nullptr,
                    {{"error", http::json::object{}}}});
  return http::Refusal(std::move(faults));
}

http::Refusal refusal_of(Refused refused) {
  http::Refusal refusal(std::move(refused.error));
  refusal.retry_after = refused.retry_after;
  return refusal;
}

}  // namespace payam::chat::api
