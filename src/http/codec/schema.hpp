// JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it) out of the same types that parse and write.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace payam::http {

namespace json = boost::json;

// A field that may be missing in a request is always there in a reply, so that a type may have two schemas.
enum class Direction { input, output };

// `payam::chat::Message` is "Message".
template <class T>
constexpr std::string_view type_name() {
  std::string_view name = __PRETTY_FUNCTION__;  // "… type_name() [T = payam::chat::Message]"
  name.remove_suffix(1);
  name.remove_prefix(name.find("T = ") + 4);
  const auto colon = name.rfind("::");
  return colon == std::string_view::npos ? name : name.substr(colon + 2);
}

// The named schemas of one document, each made once.
class Schemas {
 public:
  // A reference to the schema of that name; `make` is called for the first one.
  json::object refer(std::string_view name, Direction direction, const std::function<json::object()>& make);
  void add(std::string name, json::object schema);

  // Every component. Where a type's two schemas are equal, or only one is used, it is called by its plain name; otherwise
  // `Name-Input` and `Name-Output`. The references inside `document` are brought to the same names.
  json::object finish(json::value& document);

 private:
  std::map<std::pair<std::string, Direction>, json::object> made_;
};

}  // namespace payam::http
