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

http::Refusal refusal_of(Refused refused) {
  http::Refusal refusal(std::move(refused.error));
  refusal.retry_after = refused.retry_after;
  return refusal;
}

}  // namespace payam::chat::api
