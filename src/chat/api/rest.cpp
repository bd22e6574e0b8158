#include "chat/api/rest.hpp"

#include "chat/api/bearer.hpp"

namespace payam::chat::api {

Api make_api(http::Router& router, Services& services) {
  auto authenticate = [&services](Shard& shard, const http::Request& request) -> Task<std::expected<Principal, http::Refusal>> {
    auto token = bearer_token(request.headers.find("Authorization"));
    if (!token) co_return fail(Errc::unauthorized, "Not authenticated");
    auto principal = co_await services.authenticator.authenticate(shard, std::move(*token));
    if (!principal) co_return std::unexpected(std::move(principal.error()));
    co_return std::move(*principal);
  };
  return Api(router, std::move(authenticate));
}

}  // namespace payam::chat::api
