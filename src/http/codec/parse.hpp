// The ways in: JSON values (bodies, events), JSON text, and pairs of text (queries, forms, path parameters).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/codec/codec.hpp"

namespace payam::http {

// Values nest at most this deep.
inline constexpr std::size_t kMaxJsonDepth = 64;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// One JSON document, nothing after it, its objects within ObjectBounds. The fault is `json_invalid` at [root…, offset].
Parsed<json::value> parse_json_text(std::string_view text, const Location& root);

// `root` is ["body"] for a request's body, [] for an event's argument.
template <class T>
Parsed<T> parse(const json::value& input, Location root = {}) {
  Reader reader(std::move(root), false, kHide<T>);
  T out{};
  if (!Codec<T>::read(reader, input, out)) return std::unexpected(reader.take());
  return out;
}

// The body of a request. `content_type` may be empty; any other than JSON is refused as FastAPI does.
Parsed<json::value> body_value(std::string_view text, std::string_view content_type);
template <class T>
Parsed<T> parse_body(std::string_view text, std::string_view content_type) {
  auto value = body_value(text, content_type);
  if (!value) return std::unexpected(std::move(value.error()));
  return parse<T>(*value, {"body"});
}

// Queries and path parameters: an empty text is a value. Forms: an empty text is a missing field, as browsers send every
// field; unless it is Opaque. Of a field given more than once the last one counts, but a list takes all.
enum class Blank { value, missing };
struct FlatField {
  std::string_view name;
  bool list = false;
  bool opaque = false;
};
json::object gather(const Pairs& pairs, std::span<const FlatField> fields, Blank blank);

template <class T>
Parsed<T> parse_pairs(const Pairs& pairs, Location root, Blank blank = Blank::value) {
  std::vector<FlatField> fields;
  if constexpr (DescribedStruct<T>) {
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
      using M = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
      fields.push_back({field_name(member.name), is_list<M>, is_opaque<M>});
    });
  }
  Reader reader(std::move(root), true, kHide<T>);
  T out{};
  if (!Codec<T>::read(reader, gather(pairs, fields, blank), out)) return std::unexpected(reader.take());
  return out;
}

}  // namespace payam::http
