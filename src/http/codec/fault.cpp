#include "http/codec/fault.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <utility>

#include "base/utf8.hpp"

namespace payam::http {
namespace {

// Bytes of JSON text, about; stops counting above `limit`.
std::size_t weigh(const json::value& value, std::size_t limit) {
  std::size_t total = 8;
  if (const auto* text = value.if_string()) return total + text->size();
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list) {
      if (total > limit) break;
      total += weigh(item, limit - total);
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& [key, item] : *object) {
      if (total > limit) break;
      total += key.size() + 4;
      if (total <= limit) total += weigh(item, limit - total);
    }
  }
  return total;
}

// A number beyond a double's range is read as infinite, which JSON has no word for.
void drop_infinities(json::value& value) {
  if (const auto* number = value.if_double(); number != nullptr && !std::isfinite(*number)) {
    value = nullptr;
  } else if (auto* list = value.if_array()) {
    for (auto& item : *list) drop_infinities(item);
  } else if (auto* object = value.if_object()) {
    for (auto& [key, item] : *object) drop_infinities(item);
  }
}

constexpr std::string_view kConcealed = "**********";

// What may be shown of an input: never more than kMaxEcho, never bytes that are not UTF-8, never a secret.
json::value echo(const json::value& input, Reader::Hide hide) {
  if (hide != nullptr && input.is_string()) return json::value(kConcealed);
  if (const auto* text = input.if_string()) {
    std::string_view shown{text->data(), text->size()};
    if (!is_valid_utf8(shown)) return nullptr;
    if (shown.size() <= Reader::kMaxEcho) return input;
    shown = shown.substr(0, Reader::kMaxEcho);
    while (!is_valid_utf8(shown)) shown.remove_suffix(1);
    json::string cut(shown);
    cut += "…";
    return cut;
  }
  if (weigh(input, Reader::kMaxEcho) <= Reader::kMaxEcho) {
    json::value shown = input;
    drop_infinities(shown);
    if (hide != nullptr) hide(shown);
    return shown;
  }
  if (input.is_array()) return json::array{};
  return json::object{};
}

}  // namespace

void conceal(json::value& secret) {
  if (!secret.is_null()) secret = kConcealed;
}

json::object to_json(const Fault& fault) {
  json::array loc;
  for (const auto& step : fault.loc) {
    std::visit([&](const auto& value) { loc.emplace_back(value); }, step);
  }
  json::object object{{"type", fault.type}, {"loc", std::move(loc)}, {"msg", fault.msg}, {"input", fault.input}};
  if (!fault.ctx.empty()) object["ctx"] = fault.ctx;
  return object;
}

std::string faults_body(const Faults& faults) {
  json::array detail;
  for (const auto& fault : faults) detail.push_back(to_json(fault));
  return json::serialize(json::object{{"detail", std::move(detail)}});
}

Location Reader::here() const {
  Location location = root_;
  for (const auto& step : path_) {
    if (const auto* name = std::get_if<std::string_view>(&step)) {
      location.emplace_back(std::string(*name));
    } else {
      location.emplace_back(std::get<std::size_t>(step));
    }
  }
  return location;
}

bool Reader::fault(std::string_view type, std::string msg, const json::value& input, json::object ctx) {
  ++count_;
  if (faults_.size() < kMaxFaults) {
    faults_.push_back({std::string(type), here(), std::move(msg), echo(input, hide_), std::move(ctx)});
  }
  return false;
}

bool Reader::missing(std::string_view name, const json::object& parent) {
  const Below field(*this, name, hide_);
  return fault("missing", "Field required", flat_ ? json::value(nullptr) : json::value(parent));
}

bool Reader::value_error(std::string_view reason, const json::value& input) {
  return fault("value_error", "Value error, " + std::string(reason), input, {{"error", json::object{}}});
}

}  // namespace payam::http
