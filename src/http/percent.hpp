// Percent-coding (RFC 3986 section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace payam::http {

enum class Plus { literal, space };  // `space` in queries and urlencoded forms

// A `%` without two hexadecimal digits stays as it is, as browsers and Python do. The result may be any bytes.
std::string percent_decode(std::string_view text, Plus plus = Plus::literal);

// For one path segment or one query value: all but the unreserved characters are coded.
std::string percent_encode(std::string_view text);

}  // namespace payam::http
