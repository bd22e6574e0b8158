// Endpoints that may not be called too often: 429 with Retry-After.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "chat/api/rest.hpp"

namespace payam::chat::api {

// As api.add(), each call counted as `act`, also one whose input does not fit.
template <class In, class F>
void add_limited(Api& api, Services& services, Act act, http::Endpoint endpoint, F handler) {
  if (std::ranges::find(endpoint.replies, 429, &http::DocumentedReply::status) == endpoint.replies.end()) {
    endpoint.replies.push_back({429, "Too often; `Retry-After` says when again"});
  }
  auto guard = [&services, act](const Principal& who, const http::Request& request) -> std::optional<http::Refusal> {
    const auto wait = services.limits.take(act, who.user, request.peer);
    if (!wait) return std::nullopt;
    http::Refusal refusal(Error{Errc::rate_limited, "Too often; try again later"});
    refusal.retry_after = retry_after(*wait);
    return refusal;
  };
  api.add<In>(std::move(endpoint), std::move(handler), std::move(guard));
}

}  // namespace payam::chat::api
