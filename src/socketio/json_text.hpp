// JSON text (RFC 8259) to values and back, as JavaScript does it: numbers are exact doubles, 1.0 is written `1`, what cannot
// be written as a number becomes null. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/object_bounds.hpp"

namespace payam::sio {

inline constexpr std::size_t kMaxJsonDepth = 128;

enum class JsonStatus {
  ok,
  malformed,  // not JSON
  // JSON, but not of the kind that can be handed on:
  lone_surrogate,
  invalid_utf8,
  too_deep,          // over kMaxJsonDepth
  too_many_members,  // of objects (ObjectBounds); what follows either place is not looked at
};
std::string_view to_string(JsonStatus status);

// `first_string` gets the first element of the top array if that is a string and could be read, whatever the status.
// `max_members` of an object; unbounded: for what the program itself has written.
JsonStatus read_json(std::string_view text, boost::json::value& out, std::string& first_string,
                     std::size_t max_members = ObjectBounds::kUnbounded);

void write_json(std::string& out, const boost::json::value& value);
// The elements with commas between, without brackets.
void write_json_elements(std::string& out, const boost::json::array& values);

}  // namespace payam::sio
