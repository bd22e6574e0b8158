// How a refusal looks on the wire: the one place where the program's errors become HTTP statuses.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "http/codec/fault.hpp"
#include "http/message.hpp"

namespace payam::http {

// An Error and what only HTTP can say with it. `co_return fail(Errc::not_found, "…")` makes one.
struct Refusal {
  Refusal(Error e) : error(std::move(e)) {}  // implicit: a service's refusal is a handler's
  Refusal(Faults f) : error{Errc::invalid, {}}, faults(std::move(f)) {}

  Error error;
  Faults faults;                                    // of a 422
  std::optional<std::chrono::seconds> retry_after;  // of a 429 or 503; one second if not said
};

int status_of(Errc code);

// {"detail":"text"}, with `reason` beside it where the error has one; for 422 {"detail":[…]}; 401 with WWW-Authenticate, 429
// and 503 with Retry-After.
Response refuse(const Refusal& refusal);

}  // namespace payam::http
