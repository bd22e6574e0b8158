// What throws when something outside a request stands in its way: the caller answers with a status of its own, 503 with
// Retry-After or 507, or with an acknowledgement's error.
#pragma once

#include <stdexcept>

namespace payam {

// It may be gone a moment later.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A queue is full.
class Overloaded : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// The disk, or the database, has no space left for what was to be written.
class OutOfStorage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace payam
