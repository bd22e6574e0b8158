#include "base/object_bounds.hpp"

namespace payam {
namespace {

// Past the quotation mark that ends the string which begins before `at`.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at + 1;
}

}  // namespace

std::size_t find_member_too_many(std::string_view json, std::size_t max_depth, std::size_t max_members) {
  ObjectBounds bounds(max_members);
  std::size_t depth = 0, objects = 0;
  for (std::size_t at = 0; at < json.size();) {
    switch (json[at++]) {
      case '"': at = end_of_string(json, at); break;
      case '[':
        if (++depth > max_depth) return std::string_view::npos;
        break;
      case '{':
        if (++depth > max_depth) return std::string_view::npos;
        bounds.begin();
        ++objects;
        break;
      case ':':
        // A colon elsewhere is against the grammar.
        if (objects == 0) return std::string_view::npos;
        if (!bounds.member()) return at;
        break;
      case '}':
        if (objects == 0) return std::string_view::npos;
        bounds.end();
        --objects;
        [[fallthrough]];
      case ']':
        if (depth > 0) --depth;
        break;
      default: break;
    }
  }
  return std::string_view::npos;
}

}  // namespace payam
