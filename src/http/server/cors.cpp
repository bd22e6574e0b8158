#include "http/server/cors.hpp"

#include <algorithm>

namespace payam::http {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr std::string_view kExposed =
    "Link, Location, Retry-After, X-Request-ID, "
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, "
    "Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata";
constexpr std::string_view kMaxAge = "600";  // seconds; the shortest of the browsers' own caps

}  // namespace

bool Cors::allows(std::string_view origin) const { return std::ranges::find(origins_, origin) != origins_.end(); }

std::optional<Response> Cors::preflight(const Request& request) const {
  const auto origin = request.headers.find("Origin");
  if (request.method != Method::options || !origin || !request.headers.has("Access-Control-Request-Method")) {
    return std::nullopt;
  }
  if (!allows(*origin)) return std::nullopt;
  Response response;
  response.status = 204;
  response.headers.add("Access-Control-Allow-Methods", std::string(kMethods));
  // Which fields a client sends harms nobody: what counts is the origin, and no cookie comes along.
  if (const auto wanted = request.headers.find("Access-Control-Request-Headers")) {
    response.headers.add("Access-Control-Allow-Headers", std::string(*wanted));
  }
  response.headers.add("Access-Control-Max-Age", std::string(kMaxAge));
  return response;
}

void Cors::apply(const Request& request, Response& response) const {
  if (origins_.empty() || response.headers.has("Access-Control-Allow-Origin")) return;
  add_vary(response.headers, "Origin");
  const auto origin = request.headers.find("Origin");
  if (!origin || !allows(*origin)) return;
  response.headers.add("Access-Control-Allow-Origin", std::string(*origin));
  response.headers.add("Access-Control-Expose-Headers", std::string(kExposed));
}

}  // namespace payam::http
