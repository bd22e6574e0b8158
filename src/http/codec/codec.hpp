// From a described type: parse (all faults at once), write, schema. See fields.hpp for the vocabulary.
#pragma once

#include <array>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json_string.hpp"
#include "base/strong.hpp"
#include "http/codec/fault.hpp"
#include "http/codec/fields.hpp"
#include "http/codec/scalar.hpp"
#include "http/codec/schema.hpp"
#include "http/codec/text.hpp"

namespace payam::http {

// static bool read(Reader&, const json::value&, T& out)   adds faults and returns false if the input does not fit
// static void write(std::string& out, const T&)
// static json::object schema(Schemas&, Direction)
template <class T>
struct Codec;

template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value && std::is_enum_v<T>;

template <class T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

constexpr std::string_view field_name(std::string_view member) {
  if (member.ends_with('_')) member.remove_suffix(1);
  return member;
}

// Whether a field may be missing, and whether it is left out when there is nothing.
template <class T>
struct Presence {
  static constexpr bool required = true, omittable = false;
};
template <class T>
struct Presence<std::optional<T>> {
  static constexpr bool required = false, omittable = false;
};
template <class T>
struct Presence<Maybe<T>> {
  static constexpr bool required = false, omittable = true;
  static bool present(const Maybe<T>& value) { return value.has_value(); }
};
template <class T>
struct Presence<Patch<T>> {
  static constexpr bool required = false, omittable = true;
  static bool present(const Patch<T>& value) { return value.present; }
};
template <class T, auto V>
struct Presence<Default<T, V>> {
  static constexpr bool required = false, omittable = false;
};

// Whether an empty text is a value also in a form.
template <class T>
inline constexpr bool is_opaque = false;
template <>
inline constexpr bool is_opaque<Opaque> = true;
template <class T>
inline constexpr bool is_opaque<std::optional<T>> = is_opaque<T>;

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T, class... C>
inline constexpr bool is_list<Field<T, C...>> = is_list<T>;
template <class T>
inline constexpr bool is_list<std::optional<T>> = is_list<T>;
template <class T>
inline constexpr bool is_list<Maybe<T>> = is_list<T>;

// --- Secrets ---------------------------------------------------------------------------------------------------------

// Whether a type holds any, and what hides them in an input that was to be one. An input of another shape is hidden whole.
template <class T>
struct Secrets {
  static constexpr bool any = false;
  static void hide(json::value&) {}
};

template <class T>
inline constexpr Reader::Hide kHide = Secrets<T>::any ? &Secrets<T>::hide : nullptr;

template <class T, class... C>
struct Secrets<Field<T, C...>> {
  static constexpr bool whole = (std::is_same_v<C, Secret> || ...);
  static constexpr bool any = whole || Secrets<T>::any;
  static void hide(json::value& shown) { whole ? conceal(shown) : Secrets<T>::hide(shown); }
};

template <>
struct Secrets<Opaque> {
  static constexpr bool any = true;
  static void hide(json::value& shown) { conceal(shown); }
};

template <class T>
struct Secrets<std::optional<T>> : Secrets<T> {};
template <class T>
struct Secrets<Maybe<T>> : Secrets<T> {};
template <class T>
struct Secrets<Patch<T>> : Secrets<T> {};
template <class T, auto V>
struct Secrets<Default<T, V>> : Secrets<typename Default<T, V>::Base> {};

template <class T>
struct Secrets<std::vector<T>> {
  static constexpr bool any = Secrets<T>::any;
  static void hide(json::value& shown) {
    if (!shown.is_array()) return conceal(shown);
    for (auto& item : shown.get_array()) Secrets<T>::hide(item);
  }
};

template <class T>
struct Secrets<std::map<std::string, T>> {
  static constexpr bool any = Secrets<T>::any;
  static void hide(json::value& shown) {
    if (!shown.is_object()) return conceal(shown);
    for (auto& [key, item] : shown.get_object()) Secrets<T>::hide(item);
  }
};

template <DescribedStruct T>
struct Secrets<T> {
  template <class Member>
  using Of = Secrets<std::remove_cvref_t<decltype(std::declval<T>().*Member::pointer)>>;
  template <class Member>
  using Holds = std::bool_constant<Of<Member>::any>;

  static constexpr bool any = boost::mp11::mp_any_of<MembersOf<T>, Holds>::value;

  static void hide(json::value& shown) {
    if (!shown.is_object()) return conceal(shown);
    for (auto& [key, item] : shown.get_object()) hide_member(key, item);
  }

 private:
  // A field that nobody described may be a misspelt one.
  static void hide_member(std::string_view key, json::value& item) {
    bool described = false;
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
      if (field_name(member.name) != key) return;
      described = true;
      Of<decltype(member)>::hide(item);
    });
    if (!described) conceal(item);
  }
};

// --- Structs ---------------------------------------------------------------------------------------------------------

template <DescribedStruct T>
struct Codec<T> {
  static bool read(Reader& reader, const json::value& input, T& out) {
    const auto* object = input.if_object();
    if (object == nullptr) {
      return reader.fault("model_attributes_type", "Input should be a valid dictionary or object to extract fields from",
                          input);
    }
    const auto before = reader.count();
    boost::mp11::mp_for_each<MembersOf<T>>(
        [&](auto member) { read_member(reader, *object, field_name(member.name), out.*member.pointer); });
    if constexpr (requires {
                    { out.check() } -> std::same_as<std::optional<std::string>>;
                  }) {
      if (reader.count() == before) {
        if (const auto reason = out.check()) return reader.value_error(*reason, input);
      }
    }
    return reader.count() == before;
  }

  static void write(std::string& out, const T& value) {
    out += '{';
    bool first = true;
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
      const auto& field = value.*member.pointer;
      using M = std::remove_cvref_t<decltype(field)>;
      if constexpr (Presence<M>::omittable) {
        if (!Presence<M>::present(field)) return;
      }
      if (!first) out += ',';
      first = false;
      append_json_string(out, field_name(member.name));
      out += ':';
      Codec<M>::write(out, field);
    });
    out += '}';
  }

  static json::object schema(Schemas& schemas, Direction direction) {
    return schemas.refer(type_name<T>(), direction, [&] {
      json::object properties;
      json::array required;
      boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
        properties[field_name(member.name)] = Codec<M>::schema(schemas, direction);
        if (direction == Direction::input ? Presence<M>::required : !Presence<M>::omittable) {
          required.emplace_back(field_name(member.name));
        }
      });
      json::object result{{"type", "object"}, {"title", type_name<T>()}, {"properties", std::move(properties)}};
      if (!required.empty()) result["required"] = std::move(required);
      return result;
    });
  }

 private:
  template <class M>
  static void read_member(Reader& reader, const json::object& object, std::string_view name, M& out) {
    const auto* found = object.if_contains(name);
    if (found != nullptr) {
      const Reader::Below field(reader, name, kHide<M>);
      Codec<M>::read(reader, *found, out);
    } else if (Presence<M>::required) {
      reader.missing(name, object);
    }
  }
};

template <>
struct Codec<Nothing> {
  static bool read(Reader&, const json::value&, Nothing&) { return true; }
  static void write(std::string& out, const Nothing&) { out += "{}"; }
  static json::object schema(Schemas&, Direction) { return {}; }
};

// --- Enums: the enumerators' names -----------------------------------------------------------------------------------

template <DescribedEnum T>
struct Codec<T> {
  using Enumerators = boost::describe::describe_enumerators<T>;
  static constexpr std::size_t kCount = boost::mp11::mp_size<Enumerators>::value;

  static constexpr auto names() {
    std::array<std::string_view, kCount> result;
    std::size_t i = 0;
    boost::mp11::mp_for_each<Enumerators>([&](auto enumerator) { result[i++] = field_name(enumerator.name); });
    return result;
  }
  static constexpr auto values() {
    std::array<T, kCount> result;
    std::size_t i = 0;
    boost::mp11::mp_for_each<Enumerators>([&](auto enumerator) { result[i++] = enumerator.value; });
    return result;
  }

  static bool read(Reader& reader, const json::value& input, T& out) {
    static constexpr auto kNames = names();
    std::size_t index;
    if (!read_name(reader, input, kNames, index)) return false;
    out = values()[index];
    return true;
  }
  static void write(std::string& out, const T& value) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (values()[i] == value) return append_json_string(out, names()[i]);
    }
    out += "null";
  }
  static json::object schema(Schemas& schemas, Direction direction) {
    return schemas.refer(type_name<T>(), direction, [] {
      json::array list;
      for (const auto name : names()) list.emplace_back(name);
      return json::object{{"type", "string"}, {"title", type_name<T>()}, {"enum", std::move(list)}};
    });
  }
};

// --- Single values ---------------------------------------------------------------------------------------------------

template <>
struct Codec<std::string> {
  static bool read(Reader& reader, const json::value& input, std::string& out) { return read_text(reader, input, out); }
  static void write(std::string& out, std::string_view value) { append_json_string(out, value); }
  static json::object schema(Schemas&, Direction) { return {{"type", "string"}}; }
};

template <>
struct Codec<Opaque> {
  static bool read(Reader& reader, const json::value& input, Opaque& out) {
    const auto* text = input.if_string();
    if (text == nullptr) return reader.fault("string_type", "Input should be a valid string", nullptr);
    out.value.assign(text->data(), text->size());
    return true;
  }
  static void write(std::string& out, const Opaque& value) { append_json_string(out, value.value); }
  static json::object schema(Schemas&, Direction) { return {{"type", "string"}}; }
};

template <std::integral T>
struct Codec<T> {
  static bool read(Reader& reader, const json::value& input, T& out) {
    constexpr auto kMin = std::cmp_less(std::numeric_limits<T>::min(), std::numeric_limits<std::int64_t>::min())
                              ? std::numeric_limits<std::int64_t>::min()
                              : static_cast<std::int64_t>(std::numeric_limits<T>::min());
    constexpr auto kMax = std::cmp_greater(std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max())
                              ? std::numeric_limits<std::int64_t>::max()
                              : static_cast<std::int64_t>(std::numeric_limits<T>::max());
    std::int64_t value = 0;
    if (!read_integer(reader, input, value) || !check_range(reader, value, kMin, kMax, input)) return false;
    out = static_cast<T>(value);
    return true;
  }
  static void write(std::string& out, T value) {
    if constexpr (std::is_signed_v<T>) {
      write_number(out, static_cast<std::int64_t>(value));
    } else {
      write_number(out, static_cast<std::uint64_t>(value));
    }
  }
  static json::object schema(Schemas&, Direction) { return {{"type", "integer"}}; }
};

template <>
struct Codec<bool> {
  static bool read(Reader& reader, const json::value& input, bool& out) { return read_bool(reader, input, out); }
  static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
  static json::object schema(Schemas&, Direction) { return {{"type", "boolean"}}; }
};

template <>
struct Codec<double> {
  static bool read(Reader& reader, const json::value& input, double& out) { return read_number(reader, input, out); }
  static void write(std::string& out, double value) { write_number(out, value); }
  static json::object schema(Schemas&, Direction) { return {{"type", "number"}}; }
};

template <>
struct Codec<Timestamp> {
  static bool read(Reader& reader, const json::value& input, Timestamp& out) { return read_timestamp(reader, input, out); }
  static void write(std::string& out, Timestamp value) { append_json_string(out, to_iso8601(value)); }
  static json::object schema(Schemas&, Direction) { return {{"type", "string"}, {"format", "date-time"}}; }
};

template <class Tag>
struct Codec<Id<Tag>> {
  static bool read(Reader& reader, const json::value& input, Id<Tag>& out) {
    std::string text;
    if (!read_text(reader, input, text)) return false;
    out = Id<Tag>(std::move(text));
    return true;
  }
  static void write(std::string& out, const Id<Tag>& value) { append_json_string(out, value.str()); }
  static json::object schema(Schemas&, Direction) { return {{"type", "string"}}; }
};

template <class Tag>
struct Codec<Counter<Tag>> {
  static bool read(Reader& reader, const json::value& input, Counter<Tag>& out) {
    return read_integer(reader, input, out.value) &&
           check_range(reader, out.value, 0, std::numeric_limits<std::int64_t>::max(), input);
  }
  static void write(std::string& out, Counter<Tag> value) { write_number(out, value.value); }
  static json::object schema(Schemas&, Direction) { return {{"type", "integer"}, {"minimum", 0}}; }
};

// Anything, as it came.
template <>
struct Codec<json::value> {
  static bool read(Reader&, const json::value& input, json::value& out) {
    out = input;
    return true;
  }
  static void write(std::string& out, const json::value& value) { out += json::serialize(value); }
  static json::object schema(Schemas&, Direction) { return {}; }
};

// --- Containers ------------------------------------------------------------------------------------------------------

template <class T>
struct Codec<std::vector<T>> {
  static bool read(Reader& reader, const json::value& input, std::vector<T>& out) {
    const auto* list = input.if_array();
    if (list == nullptr) return reader.fault("list_type", "Input should be a valid list", input);
    const auto before = reader.count();
    out.clear();
    out.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Reader::Below item(reader, i, kHide<T>);
      T value{};
      if (Codec<T>::read(reader, (*list)[i], value)) out.push_back(std::move(value));
    }
    return reader.count() == before;
  }
  static void write(std::string& out, const std::vector<T>& value) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      Codec<T>::write(out, value[i]);
    }
    out += ']';
  }
  static json::object schema(Schemas& schemas, Direction direction) {
    return {{"type", "array"}, {"items", Codec<T>::schema(schemas, direction)}};
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static bool read(Reader& reader, const json::value& input, std::map<std::string, T>& out) {
    const auto* object = input.if_object();
    if (object == nullptr) return reader.fault("dict_type", "Input should be a valid dictionary", input);
    const auto before = reader.count();
    out.clear();
    for (const auto& [key, item] : *object) {
      const Reader::Below field(reader, std::string_view(key.data(), key.size()), kHide<T>);
      std::string name;
      T value{};
      if (read_text(reader, json::value(key), name) && Codec<T>::read(reader, item, value)) {
        out.insert_or_assign(std::move(name), std::move(value));
      }
    }
    return reader.count() == before;
  }
  static void write(std::string& out, const std::map<std::string, T>& value) {
    out += '{';
    for (bool first = true; const auto& [key, item] : value) {
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, key);
      out += ':';
      Codec<T>::write(out, item);
    }
    out += '}';
  }
  static json::object schema(Schemas& schemas, Direction direction) {
    return {{"type", "object"}, {"additionalProperties", Codec<T>::schema(schemas, direction)}};
  }
};

// --- Presence --------------------------------------------------------------------------------------------------------

template <class T>
json::object nullable_schema(Schemas& schemas, Direction direction) {
  return {{"anyOf", json::array{Codec<T>::schema(schemas, direction), json::object{{"type", "null"}}}}};
}

template <class T>
struct Codec<std::optional<T>> {
  static bool read(Reader& reader, const json::value& input, std::optional<T>& out) {
    out.reset();
    return input.is_null() || Codec<T>::read(reader, input, out.emplace());
  }
  static void write(std::string& out, const std::optional<T>& value) {
    if (value) {
      Codec<T>::write(out, *value);
    } else {
      out += "null";
    }
  }
  static json::object schema(Schemas& schemas, Direction direction) { return nullable_schema<T>(schemas, direction); }
};

template <class T>
struct Codec<Maybe<T>> {
  static bool read(Reader& reader, const json::value& input, Maybe<T>& out) {
    return Codec<T>::read(reader, input, out.emplace());
  }
  static void write(std::string& out, const Maybe<T>& value) { Codec<std::optional<T>>::write(out, value); }
  static json::object schema(Schemas& schemas, Direction direction) { return Codec<T>::schema(schemas, direction); }
};

template <class T>
struct Codec<Patch<T>> {
  static bool read(Reader& reader, const json::value& input, Patch<T>& out) {
    out.present = true;
    return Codec<std::optional<T>>::read(reader, input, out.value);
  }
  static void write(std::string& out, const Patch<T>& value) { Codec<std::optional<T>>::write(out, value.value); }
  static json::object schema(Schemas& schemas, Direction direction) { return nullable_schema<T>(schemas, direction); }
};

template <class T, auto V>
struct Codec<Default<T, V>> {
  using Base = typename Default<T, V>::Base;
  static bool read(Reader& reader, const json::value& input, Default<T, V>& out) {
    return Codec<Base>::read(reader, input, out);
  }
  static void write(std::string& out, const Default<T, V>& value) { Codec<Base>::write(out, value); }
  static json::object schema(Schemas& schemas, Direction direction) {
    auto result = Codec<Base>::schema(schemas, direction);
    std::string text;
    Codec<Base>::write(text, Base(V));
    result["default"] = json::parse(text);
    return result;
  }
};

// --- Constraints -----------------------------------------------------------------------------------------------------

template <class T, class... Constraints>
struct Codec<Field<T, Constraints...>> {
  static bool read(Reader& reader, const json::value& input, Field<T, Constraints...>& out) {
    return (before<Constraints>(reader, input) && ...) && Codec<T>::read(reader, input, out.value) &&
           (after<Constraints>(reader, out.value, input) && ...);
  }
  static void write(std::string& out, const Field<T, Constraints...>& value) { Codec<T>::write(out, value.value); }
  static json::object schema(Schemas& schemas, Direction direction) {
    auto result = Codec<T>::schema(schemas, direction);
    (describe<Constraints>(result), ...);
    return result;
  }

 private:
  template <class C>
  static bool before(Reader& reader, const json::value& input) {
    if constexpr (requires { C::precheck(reader, input); }) return C::precheck(reader, input);
    return true;
  }
  template <class C>
  static bool after(Reader& reader, T& value, const json::value& input) {
    if constexpr (requires { C::check(reader, value, input); }) return C::check(reader, value, input);
    if constexpr (requires { C::refuse(value); }) {
      if (const auto reason = C::refuse(value)) return reader.value_error(*reason, input);
    }
    return true;
  }
  template <class C>
  static void describe(json::object& schema) {
    if constexpr (requires { C::describe(schema); }) C::describe(schema);
  }
};

template <std::size_t Min, std::size_t Max>
struct Length {
  static bool check(Reader& reader, std::string& value, const json::value& input) {
    return check_length(reader, value, Min, Max, input);
  }
  static void describe(json::object& schema) {
    if (Min > 0) schema["minLength"] = Min;
    if (Max != kNoLimit) schema["maxLength"] = Max;
  }
};

template <std::int64_t Min, std::int64_t Max>
struct Range {
  static bool check(Reader& reader, std::int64_t value, const json::value& input) {
    return check_range(reader, value, Min, Max, input);
  }
  static void describe(json::object& schema) {
    if (Min != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = Min;
    if (Max != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = Max;
  }
};

template <std::size_t Min, std::size_t Max>
struct Items {
  // Before the items are looked at: a list over the limit costs nothing.
  static bool precheck(Reader& reader, const json::value& input) {
    const auto* list = input.if_array();
    return list == nullptr || check_count(reader, "List", list->size(), Min, Max, input);
  }
  static void describe(json::object& schema) {
    if (Min > 0) schema["minItems"] = Min;
    if (Max != kNoLimit) schema["maxItems"] = Max;
  }
};

template <std::size_t Max>
struct Entries {
  static bool precheck(Reader& reader, const json::value& input) {
    const auto* object = input.if_object();
    return object == nullptr || check_count(reader, "Dictionary", object->size(), 0, Max, input);
  }
  static void describe(json::object& schema) { schema["maxProperties"] = Max; }
};

struct EmailSyntax {
  static bool check(Reader& reader, std::string& value, const json::value& input) { return check_email(reader, value, input); }
  static void describe(json::object& schema) { schema["format"] = "email"; }
};

// --- For users -------------------------------------------------------------------------------------------------------

template <class T>
std::string to_json_text(const T& value) {
  std::string out;
  Codec<T>::write(out, value);
  return out;
}

}  // namespace payam::http
