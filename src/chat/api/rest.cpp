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

void add_endpoints(Api& api, Services& services) {
  add_auth_endpoints(api, services);
  add_session_endpoints(api, services);
  add_user_endpoints(api, services);
  add_room_endpoints(api, services);
  add_room_update_endpoints(api, services);
  add_invite_endpoints(api, services);
  add_message_endpoints(api, services);
  add_message_update_endpoints(api, services);
  add_search_endpoints(api, services);
  add_media_endpoints(api, services);
}

}  // namespace payam::chat::api
