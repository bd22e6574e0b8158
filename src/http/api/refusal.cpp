#include "http/api/refusal.hpp"

#include "base/json_string.hpp"
#include "http/status.hpp"

namespace payam::http {

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid: return 422;
    case Errc::bad_request: return 400;
    case Errc::unauthorized: return 401;
    case Errc::forbidden: return 403;
    case Errc::not_found: return 404;
    case Errc::not_member: return 404;
    case Errc::conflict: return 409;
    case Errc::too_large: return 413;
    case Errc::unsupported: return 415;
    case Errc::rate_limited: return 429;
    case Errc::unavailable: return 503;
    case Errc::out_of_storage: return 507;
    case Errc::internal: return 500;
  }
  return 500;
}

Response refuse(const Refusal& refusal) {
  const int status = status_of(refusal.error.code);
  if (status == 422) {
    Faults faults = refusal.faults;
    if (faults.empty()) {
      // A rule of a service's: it stands for the whole body.
      faults.push_back(
          {"value_error", {"body"}, "Value error, " + refusal.error.message, nullptr, {{"error", json::object{}}}});
    }
    return Response::json(422, faults_body(faults));
  }
  std::string body = R"({"detail":)";
  append_json_string(body, refusal.error.message.empty() ? reason_phrase(status) : std::string_view(refusal.error.message));
  if (!refusal.error.reason.empty()) {
    body += R"(,"reason":)";
    append_json_string(body, refusal.error.reason);
  }
  body += '}';
  auto response = Response::json(status, std::move(body));
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) {
    response.headers.add("Retry-After", std::to_string(refusal.retry_after.value_or(std::chrono::seconds{1}).count()));
  }
  return response;
}

}  // namespace payam::http
