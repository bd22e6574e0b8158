#include "http/codec/parse.hpp"

#include <boost/json/stream_parser.hpp>

#include "base/object_bounds.hpp"
#include "http/message.hpp"

namespace payam::http {
namespace {

std::string_view reason_of(const boost::system::error_code& error) {
  if (error == json::error::extra_data) return "Extra data";
  if (error == json::error::too_deep) return "Nested too deeply";
  if (error == json::error::illegal_leading_surrogate || error == json::error::illegal_trailing_surrogate ||
      error == json::error::expected_utf16_escape) {
    return "Lone surrogate";
  }
  return "Expecting value";
}

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return type.empty() || equals_ignoring_case(type, "application/json") ||
         (type.size() > 5 && equals_ignoring_case(type.substr(type.size() - 5), "+json"));
}

std::unexpected<Faults> json_invalid(const Location& root, std::size_t at, std::string_view reason) {
  Location place = root;
  place.emplace_back(at);
  Fault fault{"json_invalid", std::move(place), "JSON decode error", json::object{}, {{"error", reason}}};
  Faults faults;
  faults.push_back(std::move(fault));
  return std::unexpected(std::move(faults));
}

}  // namespace

Parsed<json::value> parse_json_text(std::string_view text, const Location& root) {
  const auto too_many = find_member_too_many(text, kMaxJsonDepth);
  if (too_many != std::string_view::npos) return json_invalid(root, too_many, "Too many members in an object");
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::stream_parser parser(json::storage_ptr{}, options);
  boost::system::error_code error;
  const auto taken = parser.write_some(text.data(), text.size(), error);
  if (!error && taken < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (!error) return parser.release();

  return json_invalid(root, error == json::error::incomplete ? text.size() : taken, reason_of(error));
}

Parsed<json::value> body_value(std::string_view text, std::string_view content_type) {
  if (text.empty()) {
    Faults faults;
    faults.push_back({"missing", {"body"}, "Field required", nullptr, {}});
    return std::unexpected(std::move(faults));
  }
  // Some editors and tools put a byte order mark before what they send (RFC 8259 section 8.1 lets a reader skip it).
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (is_json(content_type)) return parse_json_text(text.substr(text.starts_with(kByteOrderMark) ? 3 : 0), {"body"});
  // FastAPI hands over the bare text, which is then no object; the parser says so.
  return json::value(text);
}

json::object gather(const Pairs& pairs, std::span<const FlatField> fields, Blank blank) {
  json::object result;
  for (const auto& [name, value] : pairs) {
    for (const auto& field : fields) {
      if (field.name != name) continue;
      if (blank == Blank::missing && value.empty() && !field.opaque) continue;
      if (field.list) {
        auto& list = result[field.name];
        if (!list.is_array()) list.emplace_array();
        list.get_array().emplace_back(value);
      } else {
        result[field.name] = value;
      }
    }
  }
  return result;
}

}  // namespace payam::http
