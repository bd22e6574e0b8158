// One endpoint, said once: from its description and its handler's types come the route, the check of the token, the parsing
// with every fault at once, the reply's text and the OpenAPI operation.
//
//   struct SendInput {                 // any of: path, query, body, form
//     RoomPath path;
//     SendRequest body;
//   };
//   api.add<SendInput>({.method = Method::post, .path = "/chat/chat_rooms/{id}/messages", .summary = "Send a message",
//                       .tag = "messages", .status = 201,
//                       .replies = {{200, "The message of an earlier try"}, {404, "No such room, or not yours"}}},
//                      [&](Call<Caller> call, SendInput in) -> Task<Answer<MessageReply>> { … });
//
// `path` and `query` are described structs. A request with `body` (JSON) and `form` (urlencoded or multipart, no files) takes
// either, and both members are then std::optional: the content type decides.
//
// A handler that takes a BodySource& beside its input reads the body itself, as it arrives: its input has neither `body` nor
// `form`.
#pragma once

#include <cassert>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "http/api/openapi.hpp"
#include "http/api/refusal.hpp"
#include "http/codec/parse.hpp"
#include "http/server/router.hpp"

namespace payam::http {

// A successful reply. `status` 0 stands for the endpoint's own.
template <class T>
struct Reply {
  Reply(T b) : body(std::move(b)) {}  // implicit: co_return value
  Reply(int s, T b) : status(s), body(std::move(b)) {}

  int status = 0;
  T body;
  Headers headers;
};

// What a handler returns. Reply<Nothing> has no body; Answer<Response> is sent as it is.
template <class T>
using Answer = std::expected<std::conditional_t<std::is_same_v<T, Response>, Response, Reply<T>>, Refusal>;

// What a handler gets besides its input. The references live until the response is sent.
template <class Identity>
struct Call {
  Shard& shard;
  Request& request;
  Identity identity;  // as the authenticator made it; a default one where no token is needed
};

enum class Auth { none, bearer };

struct Endpoint {
  Method method = Method::get;
  std::string path;
  std::string summary;
  std::string tag = {};
  std::string description = {};
  Auth auth = Auth::bearer;
  int status = 200;                           // of success
  std::string success = {};                   // its description
  std::vector<DocumentedReply> replies = {};  // the others: errors, and successes with another status
  RouteOptions options = {};
  std::string request_type = {};  // of a body that the handler reads itself: "multipart/form-data"
  std::optional<json::object> request_schema = {};
};

namespace detail {

template <class T>
struct Unwrap {
  using type = T;
};
template <class T>
struct Unwrap<std::optional<T>> {
  using type = T;
};
template <class T>
using Unwrapped = typename Unwrap<std::remove_cvref_t<T>>::type;

// Fields of an urlencoded or (small, fileless) multipart body; empty for any other.
Pairs form_fields(const Request& request);
bool has_json_body(const Request& request);

// Whether a status is documented, or one that any call may end with: our own fault, an outage, a full disk.
bool says(const std::vector<int>& documented, int status);

// Moves a part's value into the input or its faults to the others.
template <class T, class Slot>
void take(Parsed<T> parsed, Slot& slot, Faults& faults) {
  if (parsed) {
    slot = std::move(*parsed);
  } else {
    for (auto& fault : parsed.error()) faults.push_back(std::move(fault));
  }
}

template <class In>
std::expected<In, Faults> read_input(const Request& request) {
  In in{};
  Faults faults;
  if constexpr (requires { in.path; }) {
    using Path = std::remove_cvref_t<decltype(in.path)>;
    take(parse_pairs<Path>(request.params, {"path"}), in.path, faults);
  }
  if constexpr (requires { in.query; }) {
    using Query = std::remove_cvref_t<decltype(in.query)>;
    take(parse_pairs<Query>(request.query.all(), {"query"}), in.query, faults);
  }
  constexpr bool has_body = requires { in.body; };
  constexpr bool has_form = requires { in.form; };
  bool take_body = has_body;
  if constexpr (has_body && has_form) take_body = has_json_body(request);
  if constexpr (has_body) {
    using Body = Unwrapped<decltype(in.body)>;
    const auto type = request.headers.find("Content-Type").value_or("");
    if (take_body) take(parse_body<Body>(request.body, type), in.body, faults);
  }
  if constexpr (has_form) {
    using Form = Unwrapped<decltype(in.form)>;
    if (!take_body) take(parse_pairs<Form>(form_fields(request), {"body"}, Blank::missing), in.form, faults);
  }
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return in;
}

template <class T>
void document_parameters(const char* in, Schemas& schemas, Operation& operation) {
  if constexpr (DescribedStruct<T>) {
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
      using M = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
      operation.parameters.push_back(
          {std::string(field_name(member.name)), in, Presence<M>::required, Codec<M>::schema(schemas, Direction::input)});
    });
  }
}

template <class In>
void document_input(Schemas& schemas, Operation& operation) {
  if constexpr (requires(In in) { in.path; }) {
    document_parameters<std::remove_cvref_t<decltype(In::path)>>("path", schemas, operation);
  }
  if constexpr (requires(In in) { in.query; }) {
    document_parameters<std::remove_cvref_t<decltype(In::query)>>("query", schemas, operation);
  }
  if constexpr (requires(In in) { in.body; }) {
    using Body = Unwrapped<decltype(In::body)>;
    operation.request.push_back({"application/json", Codec<Body>::schema(schemas, Direction::input)});
  }
  if constexpr (requires(In in) { in.form; }) {
    using Form = Unwrapped<decltype(In::form)>;
    operation.request.push_back({"application/x-www-form-urlencoded", Codec<Form>::schema(schemas, Direction::input)});
  }
}

template <class A>
struct AnswerOf;
template <class T>
struct AnswerOf<std::expected<Reply<T>, Refusal>> {
  using type = T;
};
template <>
struct AnswerOf<std::expected<Response, Refusal>> {
  using type = Response;
};

// A handler's result, called with or without the body as it arrives.
template <class Call, class In, class F>
inline constexpr bool kStreams = std::is_invocable_v<const F&, Call, In, BodySource&>;
template <class Call, class In, class F, bool = kStreams<Call, In, F>>
struct TaskOf {
  using type = std::invoke_result_t<const F&, Call, In>;
};
template <class Call, class In, class F>
struct TaskOf<Call, In, F, true> {
  using type = std::invoke_result_t<const F&, Call, In, BodySource&>;
};

template <class T>
Response to_response(Answer<T> answer, int status) {
  if (!answer) return refuse(answer.error());
  if constexpr (std::is_same_v<T, Response>) {
    return std::move(*answer);
  } else {
    Response response;
    response.status = answer->status == 0 ? status : answer->status;
    response.headers = std::move(answer->headers);
    if constexpr (!std::is_same_v<T, Nothing>) {
      response.headers.add("Content-Type", "application/json");
      response.body = to_json_text(answer->body);
    }
    return response;
  }
}

}  // namespace detail

// Registers endpoints on a router. Identity is what the application knows of a caller, made from the request by its
// authenticator; default constructible and movable.
template <class Identity>
class Api {
 public:
  using Authenticate = std::function<Task<std::expected<Identity, Refusal>>(Shard&, const Request&)>;
  // Asked once it is known who calls and before anything of the request is parsed: a refusal, or nullopt.
  using Guard = std::function<std::optional<Refusal>(const Identity&, const Request&)>;

  // `router` outlives the registration, not the requests.
  Api(Router& router, Authenticate authenticate)
      : router_(router), authenticate_(std::make_shared<const Authenticate>(std::move(authenticate))) {}

  // `handler(Call<Identity>, In) -> Task<Answer<T>>`, or `(Call<Identity>, In, BodySource&)`, const. It lives as long as the
  // routes and is called on every shard, and so is `guard`.
  template <class In, class F>
  void add(Endpoint endpoint, F handler, Guard guard = nullptr) {
    using T = typename detail::AnswerOf<typename detail::TaskOf<Call<Identity>, In, F>::type::value_type>::type;
    auto documented = document<In, T>(endpoint);

    auto serve = [authenticate = endpoint.auth == Auth::bearer ? authenticate_ : nullptr, guard = std::move(guard),
                  handler = std::move(handler), status = endpoint.status,
                  documented = std::move(documented)](Shard& shard, Request& request, auto&... body) -> Task<Response> {
      Response response = co_await answer<In, T>(authenticate.get(), guard, handler, status, shard, request, body...);
      assert(detail::says(documented, response.status) && "an answer that the OpenAPI document does not know");
      co_return response;
    };
    using Kind = std::conditional_t<detail::kStreams<Call<Identity>, In, F>, StreamingHandler, Handler>;
    router_.add(endpoint.method, endpoint.path, Kind(std::move(serve)), endpoint.options);
  }

  OpenApi& openapi() { return openapi_; }

 private:
  // The references are of the route's, which outlives the request.
  template <class In, class T, class F, class... Body>
  static Task<Response> answer(const Authenticate* authenticate, const Guard& guard, const F& handler, int status, Shard& shard,
                               Request& request, Body&... body) {
    Call<Identity> call{shard, request, Identity{}};
    if (authenticate != nullptr) {
      auto identity = co_await (*authenticate)(shard, request);
      if (!identity) co_return refuse(identity.error());
      call.identity = std::move(*identity);
    }
    if (guard) {
      if (const auto refusal = guard(call.identity, request)) co_return refuse(*refusal);
    }
    auto in = detail::read_input<In>(request);
    if (!in) co_return refuse(Refusal(std::move(in.error())));
    auto reply = co_await handler(std::move(call), std::move(*in), body...);
    co_return detail::to_response<T>(std::move(reply), status);
  }

  // Gives the statuses documented.
  template <class In, class T>
  std::vector<int> document(const Endpoint& endpoint) {
    Operation operation{.method = endpoint.method,
                        .path = endpoint.path,
                        .summary = endpoint.summary,
                        .description = endpoint.description,
                        .tag = endpoint.tag,
                        .bearer = endpoint.auth == Auth::bearer,
                        .parameters = {},
                        .request = {},
                        .replies = endpoint.replies};
    detail::document_input<In>(openapi_.schemas(), operation);
    if (!endpoint.request_type.empty()) {
      operation.request.push_back({endpoint.request_type, endpoint.request_schema.value_or(json::object{})});
    }
    bool listed = false;
    for (const auto& reply : operation.replies) listed = listed || reply.status == endpoint.status;
    if (!listed) operation.replies.push_back({.status = endpoint.status, .description = endpoint.success});
    if constexpr (!std::is_same_v<T, Response> && !std::is_same_v<T, Nothing>) {
      for (auto& reply : operation.replies) {
        if (reply.status >= 300 || !reply.content_type.empty()) continue;
        reply.content_type = "application/json";
        reply.schema = Codec<T>::schema(openapi_.schemas(), Direction::output);
      }
    }
    openapi_.add(std::move(operation));
    std::vector<int> statuses;
    for (const auto& reply : openapi_.operations().back().replies) statuses.push_back(reply.status);
    return statuses;
  }

  Router& router_;
  std::shared_ptr<const Authenticate> authenticate_;
  OpenApi openapi_;
};

}  // namespace payam::http
