// The REST calls of the contract. Handlers translate; what may be done, services and rules decide.
#pragma once

#include <functional>
#include <string>

#include "chat/api/services.hpp"
#include "chat/auth/principal.hpp"
#include "http/api/endpoint.hpp"
#include "http/server/router.hpp"

namespace payam::chat::api {

using Api = http::Api<Principal>;
using Call = http::Call<Principal>;

// Checks the bearer token of each call. 401 `Not authenticated` without one, `Could not validate credentials` with a bad one.
Api make_api(http::Router& router, Services& services);

// Each adds the calls of one part; `services` outlives the router.
void add_auth_endpoints(Api& api, Services& services);
void add_session_endpoints(Api& api, Services& services);
void add_user_endpoints(Api& api, Services& services);
void add_room_endpoints(Api& api, Services& services);
void add_room_update_endpoints(Api& api, Services& services);
void add_invite_endpoints(Api& api, Services& services);
void add_message_endpoints(Api& api, Services& services);
void add_message_update_endpoints(Api& api, Services& services);
void add_search_endpoints(Api& api, Services& services);
void add_media_endpoints(Api& api, Services& services);
// All of these.
void add_endpoints(Api& api, Services& services);

// Whether `/healthz` asks the store too. An embedded one that fails will not come back without a restart; a database elsewhere
// does, and a restart would only sign more people out of their sockets.
enum class Health : std::uint8_t { alone, with_store };

// `/` (`page` makes the answer for browsers, if there is one), `/healthz`, `/readyz`.
void add_site_endpoints(Api& api, Services& services, std::function<http::Response(const http::Request&)> page, Health health);

// `/openapi.json`, once every endpoint is there.
void add_openapi_document(Api& api, http::Router& router, std::string version);
// `/asyncapi.json`: the events' document.
void add_asyncapi_document(http::Router& router, std::string document);

}  // namespace payam::chat::api
