// From C++ values to the arguments of an event and back. A type may be a number, bool, string, std::optional, std::vector,
// std::map<std::string, T>, a struct or enum described with Boost.Describe, Binary, or any Boost.JSON type. For another type
// specialise sio::Converter. Pure: any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <expected>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace payam::sio {

namespace json = boost::json;

// Bytes, sent beside the JSON as an attachment; a Uint8Array or Buffer in JavaScript.
struct Binary {
  std::string bytes;
  bool operator==(const Binary&) const = default;
};

// The arguments of an event or an acknowledgement. Where binary data stands, `values` has the placeholder
// {"_placeholder":true,"num":i} of attachments[i]. What was received is checked: every placeholder has its attachment.
struct Arguments {
  json::array values;
  std::vector<Binary> attachments;
};

// Collects attachments while values are written.
struct Writer {
  std::vector<Binary>& attachments;
};

// Where in the arguments a reader stands and what did not fit.
struct Reader {
  std::span<const Binary> attachments;
  std::string path{};   // "0.members.3"
  std::string error{};  // empty: all fits

  bool fail(std::string_view expected) {
    error = path.empty() ? std::string(expected) : path + ": " + std::string(expected);
    return false;
  }
};

template <class T>
struct Converter;

// A value with its place in the path, for containers.
template <class T>
bool read_part(T& out, const json::value& in, std::string_view name, Reader& reader) {
  const std::size_t before = reader.path.size();
  if (before != 0) reader.path += '.';
  reader.path += name;
  const bool fits = Converter<T>::read(out, in, reader);
  reader.path.resize(before);
  return fits;
}

namespace detail {

template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

// The attachment's number if `value` is a placeholder.
std::optional<std::size_t> placeholder_number(const json::value& value);
json::value make_placeholder(std::size_t number);

}  // namespace detail

template <>
struct Converter<bool> {
  static json::value write(bool value, Writer&) { return value; }
  static bool read(bool& out, const json::value& in, Reader& reader) {
    if (!in.is_bool()) return reader.fail("expected true or false");
    out = in.get_bool();
    return true;
  }
};

template <std::integral T>
struct Converter<T> {
  static json::value write(T value, Writer&) { return value; }
  // Whole numbers written as 3.0 or 3e0 count as well: JavaScript knows no difference.
  static bool read(T& out, const json::value& in, Reader& reader) {
    if (const auto* number = in.if_int64(); number != nullptr && std::in_range<T>(*number)) {
      out = static_cast<T>(*number);
      return true;
    }
    if (const auto* number = in.if_uint64(); number != nullptr && std::in_range<T>(*number)) {
      out = static_cast<T>(*number);
      return true;
    }
    // 2^53: beyond it a double no longer holds every whole number.
    constexpr double kExact = 9007199254740992.0;
    if (const auto* number = in.if_double(); number != nullptr && *number >= -kExact && *number <= kExact) {
      const auto whole = static_cast<std::int64_t>(*number);
      if (static_cast<double>(whole) == *number && std::in_range<T>(whole)) {
        out = static_cast<T>(whole);
        return true;
      }
    }
    return reader.fail("expected a whole number in range");
  }
};

template <std::floating_point T>
struct Converter<T> {
  static json::value write(T value, Writer&) { return value; }
  static bool read(T& out, const json::value& in, Reader& reader) {
    if (!in.is_number()) return reader.fail("expected a number");
    out = in.is_double() ? static_cast<T>(in.get_double())
                         : (in.is_int64() ? static_cast<T>(in.get_int64()) : static_cast<T>(in.get_uint64()));
    return true;
  }
};

template <>
struct Converter<std::string> {
  static json::value write(const std::string& value, Writer&) { return json::string(value); }
  static bool read(std::string& out, const json::value& in, Reader& reader) {
    if (!in.is_string()) return reader.fail("expected a string");
    out = in.get_string();
    return true;
  }
};

// Written only: nobody keeps the characters of a view that was read.
template <>
struct Converter<std::string_view> {
  static json::value write(std::string_view value, Writer&) { return json::string(value); }
};

template <>
struct Converter<Binary> {
  static json::value write(const Binary& value, Writer& writer) {
    writer.attachments.push_back(value);
    return detail::make_placeholder(writer.attachments.size() - 1);
  }
  static bool read(Binary& out, const json::value& in, Reader& reader) {
    const auto number = detail::placeholder_number(in);
    if (!number || *number >= reader.attachments.size()) return reader.fail("expected binary data");
    out = reader.attachments[*number];
    return true;
  }
};

template <>
struct Converter<json::value> {
  static json::value write(const json::value& value, Writer&) { return value; }
  static bool read(json::value& out, const json::value& in, Reader&) {
    out = in;
    return true;
  }
};

template <>
struct Converter<json::object> {
  static json::value write(const json::object& value, Writer&) { return value; }
  static bool read(json::object& out, const json::value& in, Reader& reader) {
    if (!in.is_object()) return reader.fail("expected an object");
    out = in.get_object();
    return true;
  }
};

template <>
struct Converter<json::array> {
  static json::value write(const json::array& value, Writer&) { return value; }
  static bool read(json::array& out, const json::value& in, Reader& reader) {
    if (!in.is_array()) return reader.fail("expected an array");
    out = in.get_array();
    return true;
  }
};

template <>
struct Converter<std::nullptr_t> {
  static json::value write(std::nullptr_t, Writer&) { return nullptr; }
};

template <class T>
struct Converter<std::optional<T>> {
  static json::value write(const std::optional<T>& value, Writer& writer) {
    return value ? Converter<T>::write(*value, writer) : json::value(nullptr);
  }
  static bool read(std::optional<T>& out, const json::value& in, Reader& reader) {
    if (in.is_null()) {
      out.reset();
      return true;
    }
    return Converter<T>::read(out.emplace(), in, reader);
  }
};

template <class T>
struct Converter<std::vector<T>> {
  static json::value write(const std::vector<T>& value, Writer& writer) {
    json::array out;
    out.reserve(value.size());
    for (const auto& element : value) out.push_back(Converter<T>::write(element, writer));
    return out;
  }
  static bool read(std::vector<T>& out, const json::value& in, Reader& reader) {
    if (!in.is_array()) return reader.fail("expected an array");
    out.clear();
    out.reserve(in.get_array().size());
    for (const json::value& element : in.get_array()) {
      T value{};
      if (!read_part(value, element, std::to_string(out.size()), reader)) return false;
      out.push_back(std::move(value));
    }
    return true;
  }
};

template <class T>
struct Converter<std::map<std::string, T>> {
  static json::value write(const std::map<std::string, T>& value, Writer& writer) {
    json::object out;
    for (const auto& [key, element] : value) out.emplace(key, Converter<T>::write(element, writer));
    return out;
  }
  static bool read(std::map<std::string, T>& out, const json::value& in, Reader& reader) {
    if (!in.is_object()) return reader.fail("expected an object");
    out.clear();
    for (const auto& field : in.get_object()) {
      if (!read_part(out[std::string(field.key())], field.value(), field.key(), reader)) return false;
    }
    return true;
  }
};

template <detail::DescribedEnum T>
struct Converter<T> {
  static json::value write(T value, Writer&) { return json::string(boost::describe::enum_to_string(value, "")); }
  static bool read(T& out, const json::value& in, Reader& reader) {
    if (!in.is_string() || !boost::describe::enum_from_string(in.get_string().c_str(), out)) {
      return reader.fail("expected one of the known names");
    }
    return true;
  }
};

// A field that is std::optional may be missing, and is left out when empty. Unknown fields are ignored.
template <detail::DescribedStruct T>
struct Converter<T> {
  static json::value write(const T& value, Writer& writer) {
    json::object out;
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
      const auto& field = value.*member.pointer;
      using Field = std::remove_cvref_t<decltype(field)>;
      if constexpr (detail::IsOptional<Field>::value) {
        if (!field) return;
      }
      out.emplace(member.name, Converter<Field>::write(field, writer));
    });
    return out;
  }
  static bool read(T& out, const json::value& in, Reader& reader) {
    if (!in.is_object()) return reader.fail("expected an object");
    const json::object& object = in.get_object();
    bool fits = true;
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
      if (!fits) return;
      auto& field = out.*member.pointer;
      using Field = std::remove_cvref_t<decltype(field)>;
      const auto found = object.find(member.name);
      if (found != object.end()) {
        fits = read_part(field, found->value(), member.name, reader);
      } else if constexpr (!detail::IsOptional<Field>::value) {
        fits = reader.fail(std::string("field `") + member.name + "` is missing");
      }
    });
    return fits;
  }
};

namespace detail {

// How an argument of emit() is stored: string literals and views as text.
template <class T>
using Written = std::conditional_t<std::is_convertible_v<const T&, std::string_view> && !std::is_same_v<T, json::string>,
                                   std::string_view, std::conditional_t<std::is_same_v<T, json::string>, json::value, T>>;

}  // namespace detail

// The arguments of emit(event, args…). A single Arguments stands for all of them.
template <class... Args>
Arguments make_arguments(const Args&... args) {
  Arguments out;
  Writer writer{out.attachments};
  out.values.reserve(sizeof...(args));
  (out.values.push_back(Converter<detail::Written<Args>>::write(args, writer)), ...);
  return out;
}
inline Arguments make_arguments(const Arguments& arguments) { return arguments; }

// Reads the argument at `index`; a missing one is like null.
template <class T>
std::expected<T, std::string> read_argument(const Arguments& arguments, std::size_t index) {
  if constexpr (std::is_same_v<T, Arguments>) {
    return arguments;
  } else {
    static const json::value kNull;
    Reader reader{arguments.attachments};
    T out{};
    const json::value& in = index < arguments.values.size() ? arguments.values[index] : kNull;
    if (!read_part(out, in, std::to_string(index), reader)) return std::unexpected(std::move(reader.error));
    return out;
  }
}

// The same from arguments that nobody else will read: a json::value is moved out of them.
template <class T>
std::expected<T, std::string> take_argument(Arguments& arguments, std::size_t index) {
  if constexpr (std::is_same_v<T, json::value>) {
    if (index < arguments.values.size()) {
      return std::expected<T, std::string>(std::in_place, std::move(arguments.values[index]));
    }
  }
  return read_argument<T>(arguments, index);
}

}  // namespace payam::sio
