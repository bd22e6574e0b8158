#include "engineio/server/request_handler.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "base/held_bytes.hpp"
#include "base/network.hpp"
#include "engineio/post_body.hpp"
#include "engineio/server/cors.hpp"
#include "engineio/server/live_session.hpp"
#include "engineio/server/replies.hpp"
#include "engineio/server/session_id.hpp"
#include "engineio/websocket/deflate.hpp"
#include "engineio/websocket/handshake.hpp"
#include "runtime/completion.hpp"

namespace payam::eio {
namespace {

// Of several the last counts, as in the reference server; an empty one is none.
std::optional<std::string_view> last(const http::Query& query, std::string_view name) {
  std::optional<std::string_view> value;
  for (const auto& [key, text] : query.all()) {
    if (key == name) value = text;
  }
  return value;
}

websocket::UpgradeRequest upgrade_request(const http::Request& request) {
  return {.get = request.method == http::Method::get,
          .upgrade = request.headers.find("Upgrade"),
          .connection = request.headers.find("Connection"),
          .key = request.headers.find("Sec-WebSocket-Key"),
          .version = request.headers.find("Sec-WebSocket-Version")};
}

BinaryForm binary_form(const http::Request& request) {
  return last(request.query, "b64").value_or("").empty() ? BinaryForm::frame : BinaryForm::base64;
}

// A list may be spread over several fields (RFC 9110 section 5.3).
std::string all_values(const http::Headers& headers, std::string_view name) {
  std::string list;
  for (const auto& [key, value] : headers.all()) {
    if (!http::equals_ignoring_case(key, name)) continue;
    if (!list.empty()) list += ',';
    list += value;
  }
  return list;
}

http::Response failed_upgrade(websocket::UpgradeRefusal refusal) {
  http::Response response;
  switch (refusal) {
    case websocket::UpgradeRefusal::bad_request: response = http::Response::text(400, "Bad request"); break;
    case websocket::UpgradeRefusal::method_not_allowed:
      response = http::Response::text(405, "Method not allowed");
      response.headers.set("Allow", "GET");
      break;
    case websocket::UpgradeRefusal::unsupported_version:
      response = http::Response::text(426, "Upgrade required");
      response.headers.set("Sec-WebSocket-Version", "13");
      break;
  }
  response.close = true;
  return response;
}

// When who is refused for what others hold may try again.
constexpr std::chrono::seconds kRetryAfter{10};

http::Response stopping_response() {
  auto response = http::Response::text(503, "The server is shutting down");
  response.headers.set("Retry-After", "1");
  response.close = true;
  return response;
}

// For what Options bounds by address and in all.
http::Response over_budget(Budget::Over over, std::string_view message) {
  auto response = http::Response::text(over == Budget::Over::total ? 503 : 429, std::string(message));
  response.headers.set("Retry-After", std::to_string(kRetryAfter.count()));
  response.close = true;
  return response;
}

PayloadForm form_of(const http::Request& request) {
  const auto type = request.headers.find("Content-Type").value_or("");
  const bool octets = http::equals_ignoring_case(type.substr(0, type.find_first_of("; \t")), "application/octet-stream");
  return octets ? PayloadForm::octets : PayloadForm::text;
}

// Headers that only served to open the websocket are of no more use and not kept.
bool is_spent(std::string_view header) {
  constexpr std::string_view kUpgrade[] = {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                                           "Sec-WebSocket-Extensions"};
  return std::ranges::any_of(kUpgrade, [&](std::string_view name) { return http::equals_ignoring_case(header, name); });
}

Handshake handshake_of(const http::Request& request) {
  http::PackedRequest::Fields kept = request.headers.all();
  std::erase_if(kept, [](const auto& field) { return is_spent(field.first); });
  return {.request = http::PackedRequest(request.target, request.peer, kept), .secure = request.secure, .issued = wall_now()};
}

// Runs `work(home)` on the home's shard and comes back with what it gives. `work` must not throw.
template <class R, class F>
Task<R> at(std::shared_ptr<Home> home, F work) {
  if (home->shard().here()) co_return work(*home);
  auto start = [home, &work](Completion<R> done) {
    home->shard().post([home, &work, done = std::move(done)]() mutable { done(work(*home)); });
  };
  co_return co_await await_completion<R>(start);
}

// To the end of the queue of a shard's work, and back to the caller's.
Task<> let_others_run(Shard& shard) {
  auto start = [&shard](Completion<std::monostate> done) {
    shard.post([done = std::move(done)]() mutable { done(std::monostate{}); });
  };
  co_await await_completion<std::monostate>(start);
}

}  // namespace

// A request that has passed the first checks.
struct RequestHandler::Asked {
  RequestFacts facts;
  Transport transport = Transport::polling;
  Protocol protocol = Protocol::v4;  // of a handshake
  std::string sid;                   // empty: a handshake
  std::shared_ptr<Home> home;        // the session's, if there is a sid

  http::Response refuse(Refusal refusal, std::string_view message = {}) const {
    return facts.upgrade ? upgrade_refusal_response(refusal, message) : refusal_response(refusal, message);
  }
};

// What a session lets its posts be.
struct RequestHandler::Admitted {
  std::size_t max_payload = 0;
  Protocol protocol = Protocol::v4;
};

struct RequestHandler::Body {
  enum class End : std::uint8_t { whole, too_large, over_budget, torn };

  std::string text;
  HeldBytes held;  // of Common::incoming
  End end = End::whole;
  Budget::Over over = Budget::Over::address;
};

RequestHandler::RequestHandler(std::shared_ptr<Common> common, std::vector<std::shared_ptr<Home>> homes)
    : common_(std::move(common)), homes_(std::move(homes)) {}

Home& RequestHandler::home_of(const Shard& shard) const {
  const auto found = std::ranges::find(homes_, &shard, [](const auto& home) { return &home->shard(); });
  assert(found != homes_.end());
  return **found;
}

Task<http::Response> RequestHandler::handle(Shard& shard, http::Request& request, http::BodySource& body) const {
  const auto& cors = common_->options.cors;
  if (cors && request.method == http::Method::options) co_return answer_preflight(*cors, request);
  auto response = co_await answer(home_of(shard), request, body);
  if (cors) add_cors_headers(*cors, request, response.headers);
  co_return response;
}

Task<http::Response> RequestHandler::answer(Home& here, http::Request& request, http::BodySource& body) const {
  const Options& options = common_->options;
  Asked asked;
  asked.facts = {.transport = last(request.query, "transport"),
                 .eio = last(request.query, "EIO"),
                 .origin = request.headers.find("Origin"),
                 .get = request.method == http::Method::get,
                 .upgrade = websocket::asks_for_websocket(upgrade_request(request))};
  const auto transport = check_transport(asked.facts, {.polling = options.allow_polling, .websocket = options.allow_websocket});
  if (!transport) co_return asked.refuse(transport.error());
  asked.transport = *transport;
  asked.sid = last(request.query, "sid").value_or("");
  if (asked.sid.empty()) co_return co_await handshake(here, request, std::move(asked));

  const auto index = shard_of(asked.sid, homes_.size());
  if (!index) co_return asked.refuse(Refusal::unknown_sid);
  asked.home = homes_[*index];

  const EnabledTransports enabled{.upgrades = options.allow_upgrades};
  auto look_up = [&asked, &enabled](Home& home) -> std::optional<Refusal> {
    const auto session = home.find(asked.sid);
    if (!session) return Refusal::unknown_sid;
    return check_session(asked.facts, asked.transport, session->transport(), enabled);
  };
  const auto refusal = co_await at<std::optional<Refusal>>(asked.home, look_up);
  if (refusal) co_return asked.refuse(*refusal);
  if (asked.facts.upgrade) co_return co_await upgrade(here, request, std::move(asked));
  if (request.method == http::Method::get) co_return co_await poll(request, std::move(asked));
  if (request.method == http::Method::post) co_return co_await post(request, body, std::move(asked));
  co_return asked.refuse(Refusal::bad_request);
}

Task<http::Response> RequestHandler::handshake(Home& here, http::Request& request, Asked asked) const {
  if (const auto refusal = check_handshake(asked.facts, asked.transport)) co_return asked.refuse(*refusal);
  if (common_->options.allow_request) {
    if (const auto message = common_->options.allow_request(request)) co_return asked.refuse(Refusal::forbidden, *message);
  }
  if (common_->options.wait_before_handshake) {
    if (const auto wait = common_->options.wait_before_handshake(request)) {
      http::Response response = asked.refuse(Refusal::forbidden, "Too many connections; try again later");
      response.status = 429;
      const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(*wait).count(), std::chrono::seconds::rep(1));
      response.headers.set("Retry-After", std::to_string(seconds));
      co_return response;
    }
  }
  const auto protocol = check_protocol(asked.facts, common_->options.allow_eio3 ? Eio3::allowed : Eio3::refused);
  if (!protocol) co_return asked.refuse(protocol.error());
  asked.protocol = *protocol;
  if (here.is_stopping()) co_return stopping_response();
  if (asked.facts.upgrade) co_return co_await upgrade(here, request, std::move(asked));
  const SessionKind kind{.transport = Transport::polling, .protocol = asked.protocol, .binary = binary_form(request)};
  auto place = common_->polling_sessions.take({network_of(request.peer)});
  if (!place) co_return over_budget(place.error(), "Too many sessions");
  co_return here.open_polling(handshake_of(request), kind, std::move(*place))->open_response();
}

Task<http::Response> RequestHandler::upgrade(Home& here, http::Request& request, Asked asked) const {
  auto key = websocket::accept(upgrade_request(request));
  if (!key) co_return failed_upgrade(key.error());
  http::Response response;
  response.status = 101;
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Connection", "Upgrade");
  response.headers.set("Sec-WebSocket-Accept", std::move(*key));

  const auto near = here.shared_from_this();
  WebsocketTerms terms{.protocol = asked.protocol, .form = binary_form(request)};
  if (common_->options.permessage_deflate) {
    if (auto answer = websocket::accept_deflate(all_values(request.headers, "Sec-WebSocket-Extensions"))) {
      terms.deflate = true;
      response.headers.set("Sec-WebSocket-Extensions", std::move(*answer));
    }
  }
  if (asked.sid.empty()) {
    response.upgrade = [near, terms, handshake = handshake_of(request)](std::shared_ptr<Stream> stream,
                                                                        std::string early) mutable {
      near->open_websocket(std::move(handshake), {std::move(stream), std::move(early), terms});
    };
    co_return response;
  }
  response.upgrade = [near, terms, home = asked.home, sid = asked.sid](std::shared_ptr<Stream> stream, std::string early) {
    NewWebsocket accepted{std::move(stream), std::move(early), terms};
    if (home == near) return home->offer_websocket(sid, std::move(accepted));
    auto moved = accepted.stream->move_to(home->shard());
    if (!moved) return near->turn_away(std::move(accepted));
    accepted.stream = std::move(moved);
    home->shard().post(
        [home, sid, accepted = std::move(accepted)]() mutable { home->offer_websocket(sid, std::move(accepted)); });
  };
  co_return response;
}

Task<http::Response> RequestHandler::poll(http::Request& request, Asked asked) const {
  const auto home = asked.home;
  request.on_abort = [home, sid = asked.sid] {
    home->shard().post([home, sid] {
      if (const auto session = home->find(sid)) session->abort_poll();
    });
  };
  auto start = [&asked, home](Completion<http::Response> done) {
    auto begin = [&asked, home, done = std::move(done)]() mutable {
      const auto session = home->find(asked.sid);
      session ? session->poll(std::move(done)) : done(refusal_response(Refusal::unknown_sid));
    };
    home->shard().here() ? begin() : home->shard().post(std::move(begin));
  };
  co_return co_await await_completion<http::Response>(start);
}

// The body of a post, which is paid for as it grows. `address`: who sends it.
Task<RequestHandler::Body> RequestHandler::read_body(http::BodySource& source, std::string address,
                                                     std::size_t max_bytes) const {
  Body body;
  for (;;) {
    const auto piece = co_await source.read();
    if (!piece) {
      body.end = piece.error().code == Errc::too_large ? Body::End::too_large : Body::End::torn;
      co_return body;
    }
    if (piece->empty()) co_return body;
    if (piece->size() > max_bytes - body.text.size()) {
      body.end = Body::End::too_large;
      co_return body;
    }
    body.text.append(*piece);
    const auto over = body.held.set(common_->incoming, body.text.capacity(), [&] { return Caller{network_of(address)}; });
    if (over) {
      body.over = *over;
      body.end = Body::End::over_budget;
      co_return body;
    }
  }
}

Task<http::Response> RequestHandler::post(http::Request& request, http::BodySource& source, Asked asked) const {
  const PayloadForm form = form_of(request);
  Admitted admitted;
  auto begin = [&asked, &admitted, form](Home& home) -> std::optional<http::Response> {
    const auto session = home.find(asked.sid);
    if (!session) return refusal_response(Refusal::unknown_sid);
    admitted = {session->max_payload(), session->protocol()};
    return session->start_post(form);
  };
  if (auto refused = co_await at<std::optional<http::Response>>(asked.home, begin)) co_return std::move(*refused);

  // From here on the session waits for this post to end, one way or another.
  const Body body = co_await read_body(source, request.peer, admitted.max_payload);
  if (body.end == Body::End::whole) {
    PostBody packets(body.text, form, admitted.protocol);
    auto slice = [&asked, &packets](Home& home) -> std::optional<http::Response> {
      const auto session = home.find(asked.sid);
      return session ? session->read_post(packets) : refusal_response(Refusal::unknown_sid);
    };
    for (;;) {
      if (auto response = co_await at<std::optional<http::Response>>(asked.home, slice)) co_return std::move(*response);
      co_await let_others_run(asked.home->shard());
    }
  }

  auto finish = [&asked, &body](Home& home) {
    const auto session = home.find(asked.sid);
    http::Response response = refusal_response(Refusal::bad_request);
    switch (body.end) {
      case Body::End::whole: break;
      case Body::End::too_large:
        if (session) session->refuse_post();
        response = http::Response::text(413, "Payload too large");
        response.close = true;  // the rest of the body is not worth reading
        break;
      case Body::End::over_budget:
        if (session) session->refuse_post();
        response = over_budget(body.over, "Too many bytes are waiting");
        break;
      case Body::End::torn:
        if (session) session->abort_post();
        break;
    }
    return response;
  };
  co_return co_await at<http::Response>(asked.home, finish);
}

}  // namespace payam::eio
