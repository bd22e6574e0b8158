#include "http/api/refusal.hpp"

#include "http/codec/text.hpp"

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

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 460: return "Checksum Mismatch";  // tus
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "";
  }
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
  write_string(body, refusal.error.message.empty() ? reason_phrase(status) : std::string_view(refusal.error.message));
  body += '}';
  auto response = Response::json(status, std::move(body));
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) {
    response.headers.add("Retry-After", std::to_string(refusal.retry_after.value_or(std::chrono::seconds{1}).count()));
  }
  return response;
}

Response refuse_plainly(int status) {
  std::string body = R"({"detail":)";
  write_string(body, reason_phrase(status));
  body += '}';
  auto response = Response::json(status, std::move(body));
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (status == 503) response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace payam::http
