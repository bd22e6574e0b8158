// The files of web/files.txt inside the program; made by the build.
#pragma once

#include <span>
#include <string_view>

namespace payam::web {

struct Embedded {
  std::string_view address;  // "/web/style.css"
  std::string_view gzip;     // its content (RFC 1952)
};
std::span<const Embedded> embedded();

}  // namespace payam::web
