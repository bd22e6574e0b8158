#include "engineio/server/replies.hpp"

namespace payam::eio {

http::Response poll_response(Payload payload) {
  const bool text = payload.form == PayloadForm::text;
  auto response =
      http::Response::text(200, std::move(payload.body), text ? "text/plain; charset=UTF-8" : "application/octet-stream");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

http::Response post_response() {
  // Not text/plain: some browsers offered that as a download (the reference server's experience).
  auto response = http::Response::text(200, "ok", "text/html");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

http::Response refusal_response(Refusal refusal, std::string_view message) {
  return http::Response::json(refusal == Refusal::forbidden ? 403 : 400, to_json(refusal, message));
}

http::Response upgrade_refusal_response(Refusal refusal, std::string_view message) {
  auto response = http::Response::text(400, std::string(message.empty() ? message_of(refusal) : message));
  response.close = true;
  return response;
}

}  // namespace payam::eio
