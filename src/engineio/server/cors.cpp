#include "engineio/server/cors.hpp"

#include <algorithm>

namespace payam::eio {

void add_cors_headers(const Options::Cors& cors, const http::Request& request, http::Headers& headers) {
  if (cors.credentials) headers.set("Access-Control-Allow-Credentials", "true");
  if (std::ranges::find(cors.origins, "*") != cors.origins.end()) {
    headers.set("Access-Control-Allow-Origin", "*");
    return;
  }
  // The answer depends on who asks, also when it is no.
  headers.add("Vary", "Origin");
  const auto origin = request.headers.find("Origin");
  if (origin && std::ranges::find(cors.origins, *origin) != cors.origins.end()) {
    headers.set("Access-Control-Allow-Origin", std::string(*origin));
  }
}

http::Response answer_preflight(const Options::Cors& cors, const http::Request& request) {
  http::Response response;
  response.status = 204;
  add_cors_headers(cors, request, response.headers);
  response.headers.set("Access-Control-Allow-Methods", "GET,POST");
  if (const auto wanted = request.headers.find("Access-Control-Request-Headers")) {
    response.headers.add("Vary", "Access-Control-Request-Headers");
    response.headers.set("Access-Control-Allow-Headers", std::string(*wanted));
  }
  return response;
}

}  // namespace payam::eio
