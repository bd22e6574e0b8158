// The `.env` file: lines `NAME=value`, as python-dotenv and Compose read them. Pure.
//
//   line    = blank / comment / [ "export " ] NAME *SP "=" *SP value
//   value   = "'" raw "'" / DQUOTE text with \n \" \\ DQUOTE / bare up to " #"
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace payam::chat {

// A name given twice has its last value. The error names the line.
Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text);

}  // namespace payam::chat
