#include "chat/api/realtime_events.hpp"

#include <algorithm>
#include <type_traits>

namespace payam::http {

using payam::Errc;
using payam::chat::api::Detail;

void Codec<Detail>::write(std::string& out, const Detail& value) {
  std::visit(
      [&](const auto& why) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(why)>, std::string>) {
          append_json_string(out, why);
        } else {
          json::array list;
          for (const Fault& fault : why) list.push_back(to_json(fault));
          out += json::serialize(list);
        }
      },
      value.why);
}

json::object Codec<Detail>::schema(Schemas& schemas, Direction) {
  const json::object faults{{"type", "array"}, {"items", fault_schema(schemas)}};
  return {{"anyOf", json::array{json::object{{"type", "string"}}, faults}}};
}

json::object Codec<Errc>::schema(Schemas& schemas, Direction direction) {
  return schemas.refer("ErrorCode", direction, [] {
    json::array names;
    for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
      const json::value name(to_string(static_cast<Errc>(i)));
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);  // two may have one name
    }
    return json::object{{"type", "string"}, {"title", "ErrorCode"}, {"enum", std::move(names)}};
  });
}

}  // namespace payam::http
