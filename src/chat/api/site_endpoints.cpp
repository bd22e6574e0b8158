// `/`, health, and the API's own description.
#include <boost/describe/class.hpp>

#include "chat/api/limited.hpp"
#include "chat/api/rest.hpp"
#include "chat/rules.hpp"
#include "http/header_value.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;

struct WelcomeReply {
  std::string message = "Welcome to the Chat Service API";
};
BOOST_DESCRIBE_STRUCT(WelcomeReply, (), (message))

struct HealthReply {
  std::string status = "ok";
};
BOOST_DESCRIBE_STRUCT(HealthReply, (), (status))

void add_document(http::Router& router, std::string path, std::string document) {
  const auto text = std::make_shared<const std::string>(std::move(document));
  router.add(Method::get, std::move(path), [text](Shard&, http::Request&) -> Task<http::Response> {
    http::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = text;
    co_return response;
  });
}

}  // namespace

void add_site_endpoints(Api& api, Services& services, std::function<http::Response(const http::Request&)> page, Health health) {
  api.add<Nothing>({.method = Method::get,
                    .path = "/",
                    .summary = "A welcome; the web client for a browser",
                    .tag = "site",
                    .auth = http::Auth::none,
                    .replies = {{200, "JSON, or the page if `Accept` prefers HTML"}, {304, "The page has not changed"}}},
                   [page = std::move(page)](Call call, Nothing) -> Task<Answer<http::Response>> {
                     const bool html = page && http::prefers_html(call.request.headers.find("Accept"));
                     auto response = html ? page(call.request) : http::Response::json(200, http::to_json_text(WelcomeReply{}));
                     response.headers.add("Vary", "Accept");
                     co_return response;
                   });

  auto is_healthy = [&services, ask_store = health == Health::with_store](Call, Nothing) -> Task<Answer<HealthReply>> {
    if (ask_store) co_await services.store.ping();
    co_return HealthReply{};
  };
  auto is_ready = [&services](Call, Nothing) -> Task<Answer<HealthReply>> {
    co_await services.store.ping();
    try {
      co_await services.store.check_writable();
    } catch (const OutOfStorage&) {
      co_return fail(Errc::unavailable, std::string(rules::kNoSpace));
    }
    co_return HealthReply{};
  };
  add_limited<Nothing>(api, services, Act::stranger,
                       {.method = Method::get,
                        .path = "/healthz",
                        .summary = "Whether the server works",
                        .tag = "site",
                        .description = "Anything but 200 is a reason to restart it.",
                        .auth = http::Auth::none},
                       std::move(is_healthy));
  add_limited<Nothing>(api, services, Act::stranger,
                       {.method = Method::get,
                        .path = "/readyz",
                        .summary = "Whether it takes requests",
                        .tag = "site",
                        .description = "503 while the database is away, or has no space for messages.",
                        .auth = http::Auth::none,
                        .replies = {{503, "Not now; it comes back by itself"}}},
                       std::move(is_ready));
}

void add_openapi_document(Api& api, http::Router& router, std::string version) {
  add_document(router, "/openapi.json",
               api.openapi().document({.title = "Payam",
                                       .version = std::move(version),
                                       .description = "A chat server: accounts, rooms, private chats, media. Real time is "
                                                      "Socket.IO v5 at `/socket.io/`.",
                                       .token_url = "/auth/token"}));
}

void add_asyncapi_document(http::Router& router, std::string document) {
  add_document(router, "/asyncapi.json", std::move(document));
}

}  // namespace payam::chat::api
