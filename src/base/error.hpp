// What can go wrong, as a value. Hostile or mistaken input is a Result, never an exception or an assert;
// an outage (disk, database, pool) throws and is caught once a request or event.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace payam {

// The kinds of refusal the whole program knows. Each protocol maps them once (HTTP status, Socket.IO `code`).
enum class Errc {
  invalid,         // the input does not fit: 422
  bad_request,     // fits, yet cannot be done: 400
  unauthorized,    // no or wrong credentials: 401
  forbidden,       // known, but not allowed: 403
  not_found,       // does not exist or is not yours: 404
  not_member,      // as not_found, the sender left the room before the commit
  conflict,        // against the rules in the present state: 409
  too_large,       // 413
  unsupported,     // 415
  rate_limited,    // 429
  unavailable,     // an outage or a full pool; may work later: 503
  out_of_storage,  // the disk or the database is full: 507
  internal,        // our own fault: 500
};

// Stable lower-case name, `not_found`; what an ack's `code` says.
std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::internal;
  std::string message;   // for people; never contains the inside of the server
  std::string reason{};  // a stable word for programs: "quota"; empty: none

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string message) { return std::unexpected(Error{code, std::move(message)}); }

}  // namespace payam
