// Endpoints that may not be called too often: 429 with Retry-After.
#pragma once

#include <utility>

#include "chat/api/rest.hpp"

namespace payam::chat::api {

template <class Answer>
Task<Answer> refused(http::Refusal refusal) {
  co_return std::unexpected(std::move(refusal));
}

// As api.add(), each call counted as `act`.
template <class In, class F>
void add_limited(Api& api, Services& services, Act act, http::Endpoint endpoint, F handler) {
  using Answered = typename http::detail::TaskOf<Call, In, F>::type;
  endpoint.replies.push_back({429, "Too often; `Retry-After` says when again"});
  auto limited = [&services, act, handler = std::move(handler)](Call call, In in, auto&... body) -> Answered {
    if (const auto wait = services.limits.take(act, call.identity.user, call.request.peer)) {
      http::Refusal refusal(Error{Errc::rate_limited, "Too often; try again later"});
      refusal.retry_after = retry_after(*wait);
      return refused<typename Answered::value_type>(std::move(refusal));
    }
    return handler(std::move(call), std::move(in), body...);
  };
  if constexpr (http::detail::kStreams<Call, In, F>) {
    api.add<In>(std::move(endpoint), [limited = std::move(limited)](Call call, In in, http::BodySource& body) {
      return limited(std::move(call), std::move(in), body);
    });
  } else {
    api.add<In>(std::move(endpoint),
                [limited = std::move(limited)](Call call, In in) { return limited(std::move(call), std::move(in)); });
  }
}

}  // namespace payam::chat::api
