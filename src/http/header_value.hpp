// The values of header fields that have a grammar of their own (RFC 9110 sections 5.6 and 12.5).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace payam::http {

// `multipart/form-data; boundary="a b"`
struct HeaderValue {
  std::string value;                                            // before the first semicolon, trimmed
  std::vector<std::pair<std::string, std::string>> parameters;  // in order

  // The first parameter of that name, without case.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// In a Content-Disposition a browser escapes a quote as %22 and leaves a backslash alone (WHATWG HTML 4.10.22.8); curl
// escapes both with a backslash.
enum class Quoting { standard, form_data };

// nullopt for a quoted string that does not end or a parameter without name.
std::optional<HeaderValue> parse_header_value(std::string_view text, Quoting quoting = Quoting::standard);

// Which of `offered` the Accept field wants most; a tie goes to the one offered first, no Accept to the first. nullopt if it
// wants none of them.
std::optional<std::size_t> negotiate(std::optional<std::string_view> accept, std::span<const std::string_view> offered);

// A page for a browser rather than JSON for a program.
bool prefers_html(std::optional<std::string_view> accept);

bool accepts_gzip(std::optional<std::string_view> accept_encoding);

// `<path>; rel="next"`, joined with commas (RFC 8288). The targets are percent-coded already.
std::string link_value(std::span<const std::pair<std::string, std::string>> targets_and_relations);

}  // namespace payam::http
