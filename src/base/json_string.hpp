// The text of a JSON string (RFC 8259 section 7), as JavaScript's JSON.stringify writes it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace payam {

// Appends `text`, which is UTF-8, in quotes.
void append_json_string(std::string& out, std::string_view text);
// How many bytes that appends.
std::size_t json_string_size(std::string_view text);

}  // namespace payam
