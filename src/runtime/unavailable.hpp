// What throws when something outside a request stands in its way and may be gone a moment later: the caller answers 503 with
// Retry-After, or an acknowledgement's error.
#pragma once

#include <stdexcept>

namespace payam {

class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A queue is full.
class Overloaded : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

}  // namespace payam
