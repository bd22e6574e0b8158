// The vocabulary of requests and replies: types whose constraints are part of the type, so that the parser, the faults and
// the OpenAPI schema all come from the one definition. Pure values; a request is
//
//   struct SignupRequest {
//     Text<1, 64> username;
//     Email email;
//     std::optional<Text<0, 200>> full_name;     // may be missing or null
//     Default<Integer<1, 500>, 100> limit;       // may be missing
//     List<Email, 100> members;
//     std::optional<std::string> check() const;  // a rule over several fields: why it is refused, or nullopt
//   };
//   BOOST_DESCRIBE_STRUCT(SignupRequest, (), (username, email, full_name, limit, members))
//
// A member's name is the field's; one underscore at its end is not part of it (`delete_`). Fields nobody described are
// ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace payam::http {

// A value that satisfies the constraints once it has been parsed. Made freely from a plain value for replies.
//
// A constraint is a type with one of
//   static std::optional<std::string> refuse(const T& value);          // a text: "Value error, <text>"
//   static bool check(Reader&, T& value, const json::value& input);    // full control; may normalise `value`
//   static bool precheck(Reader&, const json::value& input);           // before the value is read
// and, if the schema can say it, static void describe(json::object& schema).
template <class T, class... Constraints>
struct Field {
  T value{};

  Field() = default;
  Field(T plain) : value(std::move(plain)) {}  // implicit: replies are built from plain values
  template <class U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T>)
  Field(U&& plain) : value(std::forward<U>(plain)) {}

  operator const T&() const { return value; }
  const T& operator*() const { return value; }
  T& operator*() { return value; }
  const T* operator->() const { return &value; }
  T* operator->() { return &value; }
  bool operator==(const Field&) const = default;
};

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

template <std::size_t Min, std::size_t Max>
struct Length;  // code points
template <std::int64_t Min, std::int64_t Max>
struct Range;
template <std::size_t Min, std::size_t Max>
struct Items;
template <std::size_t Max>
struct Entries;
struct EmailSyntax;
// As a constraint: the value is shown to nobody, not even in the fault that refuses it or what it stands in (`**********`).
struct Secret {};

// Every text is UTF-8 without NUL. A bare std::string is one without bounds.
template <std::size_t Min = 0, std::size_t Max = kNoLimit>
using Text = Field<std::string, Length<Min, Max>>;

template <std::size_t Min = 0, std::size_t Max = kNoLimit>
using SecretText = Field<std::string, Length<Min, Max>, Secret>;

// A text that is only compared with what is known, as tokens are: any bytes of any length, none included.
struct Opaque {
  std::string value;

  bool operator==(const Opaque&) const = default;
};

// Both bounds belong to it.
template <std::int64_t Min, std::int64_t Max = std::numeric_limits<std::int64_t>::max()>
using Integer = Field<std::int64_t, Range<Min, Max>>;

// Lower-cased, spaces around it removed.
using Email = Field<std::string, EmailSyntax>;

template <class T, std::size_t Max, std::size_t Min = 0>
using List = Field<std::vector<T>, Items<Min, Max>>;

template <class T, std::size_t Max>
using Dict = Field<std::map<std::string, T>, Entries<Max>>;

// May be missing, never null; a reply leaves it out. (std::optional may be missing or null; a reply says null.)
template <class T>
struct Maybe : std::optional<T> {
  using std::optional<T>::optional;
};

// For PATCH, where null means "clear it" and a missing field "leave it".
template <class T>
struct Patch {
  bool present = false;
  std::optional<T> value;

  bool operator==(const Patch&) const = default;
};

// May be missing, then it is `V`; never null.
template <class T, auto V>
struct Default : std::conditional_t<std::is_class_v<T>, T, Field<T>> {
  using Base = std::conditional_t<std::is_class_v<T>, T, Field<T>>;
  using Base::Base;
  Default() : Base(V) {}
};

// Nothing: no path parameters, no query, no body.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

}  // namespace payam::http
