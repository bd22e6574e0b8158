#include "http/codec/schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace payam::http {
namespace {

constexpr std::string_view kPrefix = "#/components/schemas/";

std::string suffixed(std::string_view name, Direction direction) {
  return std::string(name) + (direction == Direction::input ? "-Input" : "-Output");
}

void rename(json::value& node, const std::map<std::string, std::string>& names) {
  if (auto* list = node.if_array()) {
    for (auto& item : *list) rename(item, names);
  } else if (auto* object = node.if_object()) {
    for (auto& [key, item] : *object) {
      if (key == "$ref" && item.is_string() && item.get_string().starts_with(kPrefix)) {
        const std::string target(item.get_string().subview(kPrefix.size()));
        if (const auto found = names.find(target); found != names.end()) item = std::string(kPrefix) + found->second;
      } else {
        rename(item, names);
      }
    }
  }
}

}  // namespace

json::object Schemas::refer(std::string_view name, Direction direction, const std::function<json::object()>& make) {
  const std::pair key(std::string(name), direction);
  if (made_.try_emplace(key).second) made_[key] = make();  // entered first: a type may contain itself
  return {{"$ref", std::string(kPrefix) + suffixed(name, direction)}};
}

void Schemas::add(std::string name, json::object schema) { made_[{std::move(name), Direction::output}] = std::move(schema); }

json::object Schemas::finish(json::value& document) {
  // Two schemas are the same if they are equal once their references are: compare with the directions taken off.
  std::map<std::string, std::string> plain;
  for (const auto& [key, schema] : made_) plain[suffixed(key.first, key.second)] = key.first;
  std::map<std::string, std::string> names = plain;
  const auto without_directions = [&](const json::object& schema) {
    json::value copy = schema;
    rename(copy, plain);
    return copy;
  };
  // Types whose two forms differ, and then those that refer to them, until no more are found.
  const auto refers_to_split = [&](const json::object& schema) {
    json::value copy = schema, renamed = schema;
    rename(copy, plain);
    rename(renamed, names);
    return copy != renamed;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [key, schema] : made_) {
      const auto other = made_.find({key.first, Direction::output});
      if (key.second != Direction::input || other == made_.end()) continue;
      auto& name = names[suffixed(key.first, Direction::input)];
      if (name != key.first) continue;  // already two
      if (without_directions(schema) == without_directions(other->second) && !refers_to_split(schema)) continue;
      name = suffixed(key.first, Direction::input);
      names[suffixed(key.first, Direction::output)] = suffixed(key.first, Direction::output);
      changed = true;
    }
  }
  json::object components;
  for (const auto& [key, schema] : made_) {
    json::value renamed = schema;
    rename(renamed, names);
    components[names[suffixed(key.first, key.second)]] = std::move(renamed);
  }
  rename(document, names);
  return components;
}

}  // namespace payam::http
