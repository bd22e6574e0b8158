// Whom a broadcast goes to, and how. Values.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace payam::sio {

// One room or several: `to("a")`, `to({"a", "b"})`, `to(names)`.
struct Rooms {
  Rooms(std::string name) { names.push_back(std::move(name)); }
  Rooms(const char* name) : Rooms(std::string(name)) {}
  Rooms(std::string_view name) : Rooms(std::string(name)) {}
  Rooms(std::vector<std::string> all) : names(std::move(all)) {}
  Rooms(std::initializer_list<std::string> all) : names(all) {}

  std::vector<std::string> names;
};

}  // namespace payam::sio

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
