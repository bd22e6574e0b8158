// Whom a broadcast goes to, and how. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace payam::sio::detail {

// No rooms: every socket of the namespace. A socket in several of them gets one copy.
struct Target {
  std::vector<std::string> rooms;
  std::vector<std::string> except;
};

struct Flags {
  bool is_volatile = false;
  bool compress = true;
  bool local = false;
  std::optional<Millis> timeout;
};

}  // namespace payam::sio::detail
