// BSON documents: built, owned and read. Nothing here talks to a server.
//
//   const Document query = doc("room", room, "rev", doc("$gt", after));
//   const View row = …;
//   auto name = row.get<std::string>("name");                // throws BsonError where it is missing or of another kind
//   auto topic = row.get<std::optional<std::string>>("topic");  // nullopt where it is missing or null
//
// How our values are kept: strings, Ids: UTF-8. Integers, Counters, enums: int64. Timestamp: a date. bool, double: themselves.
// Bytes: generic binary. std::optional without a value: no field at all, as null is a value that collides in unique indexes.
// A reader takes any number where an integer is asked for, since other programs write int32 and doubles.
#pragma once

#include <bson/bson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"

namespace payam::chat::mongo {

// A document is not as its reader expects: damaged, or written by another program.
class BsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Bytes = std::span<const std::byte>;

struct ObjectId {
  std::array<std::uint8_t, 12> bytes{};

  std::string hex() const;
  bool operator==(const ObjectId&) const = default;
};

enum class Kind : std::uint8_t { absent, null, string, integer, real, boolean, date, document, array, bytes, object_id, other };

class View;

// A field of a document that someone else owns and keeps unchanged meanwhile.
class Field {
 public:
  explicit Field(const bson_iter_t& at) : at_(at) {}

  std::string_view key() const;
  Kind kind() const;

  // nullopt for null; throws BsonError if it is of another kind. T: an integer, bool, double, enum, std::string,
  // std::string_view, Id, Counter, Timestamp, ObjectId, Bytes, or View (of a document or a list).
  template <class T>
  std::optional<T> read() const;

 private:
  std::optional<std::string_view> text() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> real() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> date() const;
  std::optional<View> document() const;
  std::optional<Bytes> bytes() const;
  std::optional<ObjectId> object_id() const;
  [[noreturn]] void fail(std::string_view why) const;

  bson_iter_t at_;
};

// A document that someone else owns and keeps unchanged meanwhile; so what is read as View, string_view or Bytes.
class View {
 public:
  View() = default;  // empty
  View(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::optional<Field> find(std::string_view key) const;
  Kind kind(std::string_view key) const;
  bool has(std::string_view key) const { return kind(key) != Kind::absent; }

  // T: what Field reads, or std::optional of it (nullopt: missing or null), or std::vector of it (empty: missing or null).
  template <class T>
  T get(std::string_view key) const;

  // Calls `visit(const Field&)` in the fields' order.
  template <class F>
  void each(F visit) const {
    bson_iter_t at;
    if (data_ == nullptr || !bson_iter_init_from_data(&at, data_, size_)) return;
    while (bson_iter_next(&at)) visit(Field(at));
  }

  std::size_t size() const { return size_; }  // bytes
  const std::uint8_t* data() const { return data_; }

 private:
  [[noreturn]] static void fail(std::string_view key, std::string_view why);

  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// A document of one's own. Movable; copy() where a copy is meant.
class Document {
 public:
  Document();
  explicit Document(View view);  // a copy
  ~Document();
  Document(Document&& other) noexcept;
  Document& operator=(Document&& other) noexcept;

  // T: what Field reads, an std::optional of it, Document, Array, or anything a string_view is made of. Add each key once.
  template <class T>
  Document& add(std::string_view key, const T& value);
  // Every field of the other one.
  Document& add_all(View fields);

  View view() const;
  operator View() const { return view(); }
  Document copy() const { return Document(view()); }
  bool empty() const;
  std::size_t size() const { return view().size(); }  // bytes

  const bson_t* handle() const { return handle_; }
  bson_t* handle() { return handle_; }

 private:
  friend class Array;

  void add_text(std::string_view key, std::string_view value);
  void add_integer(std::string_view key, std::int64_t value);
  void add_real(std::string_view key, double value);
  void add_bool(std::string_view key, bool value);
  void add_date(std::string_view key, std::int64_t millis);
  void add_document(std::string_view key, View value);
  void add_array(std::string_view key, const Document& value);
  void add_bytes(std::string_view key, Bytes value);
  void add_object_id(std::string_view key, const ObjectId& value);

  bson_t* handle_;
};

// A list of values, to be added to a document.
class Array {
 public:
  template <class T>
  Array& push(const T& value) {
    items_.add(std::to_string(size_++), value);
    return *this;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  friend class Document;
  Document items_;
  std::size_t size_ = 0;
};

// doc("key", value, "key", value, …)
template <class... Pairs>
Document doc(const Pairs&... pairs) {
  Document document;
  if constexpr (sizeof...(pairs) > 0) {
    static_assert(sizeof...(pairs) % 2 == 0, "a key and a value each");
    [&document](this auto self, std::string_view key, const auto& value, const auto&... rest) -> void {
      document.add(key, value);
      if constexpr (sizeof...(rest) > 0) self(rest...);
    }(pairs...);
  }
  return document;
}

template <class Range>
Array list(const Range& values) {
  Array array;
  for (const auto& value : values) array.push(value);
  return array;
}

namespace detail {

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

}  // namespace detail

template <class T>
std::optional<T> Field::read() const {
  const auto as = [](auto&& found, auto&& convert) -> std::optional<T> {
    return found ? std::optional<T>(convert(*found)) : std::nullopt;
  };
  if constexpr (std::is_same_v<T, bool>) {
    return boolean();
  } else if constexpr (std::is_same_v<T, double>) {
    return real();
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return as(integer(), [](std::int64_t value) { return static_cast<T>(value); });
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
    return as(text(), [](std::string_view value) { return T(value); });
  } else if constexpr (is_id<T>) {
    return as(text(), [](std::string_view value) { return T(std::string(value)); });
  } else if constexpr (is_counter<T>) {
    return as(integer(), [](std::int64_t value) { return T{value}; });
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return as(date(), [](std::int64_t value) { return Timestamp(Millis(value)); });
  } else if constexpr (std::is_same_v<T, ObjectId>) {
    return object_id();
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return bytes();
  } else {
    static_assert(std::is_same_v<T, View>, "no BSON for this type");
    return document();
  }
}

template <class T>
T View::get(std::string_view key) const {
  const std::optional<Field> field = find(key);
  if constexpr (is_optional<T>) {
    return field ? field->read<typename T::value_type>() : std::nullopt;
  } else if constexpr (detail::is_vector<T>) {
    T values;
    const auto items = field ? field->read<View>() : std::nullopt;
    if (items) {
      items->each([&](const Field& item) {
        auto value = item.read<typename T::value_type>();
        if (!value) fail(key, "holds a null");
        values.push_back(*std::move(value));
      });
    }
    return values;
  } else {
    auto value = field ? field->read<T>() : std::nullopt;
    if (!value) fail(key, "is missing");
    return *std::move(value);
  }
}

template <class T>
Document& Document::add(std::string_view key, const T& value) {
  if constexpr (std::is_same_v<T, Document> || std::is_same_v<T, View>) {
    add_document(key, value);
  } else if constexpr (std::is_same_v<T, Array>) {
    add_array(key, value.items_);
  } else if constexpr (is_optional<T>) {
    if (value) add(key, *value);
  } else if constexpr (std::is_same_v<T, bool>) {
    add_bool(key, value);
  } else if constexpr (std::is_same_v<T, double>) {
    add_real(key, value);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    add_integer(key, static_cast<std::int64_t>(value));
  } else if constexpr (is_id<T>) {
    add_text(key, value.str());
  } else if constexpr (is_counter<T>) {
    add_integer(key, value.value);
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    add_date(key, value.time_since_epoch().count());
  } else if constexpr (std::is_same_v<T, ObjectId>) {
    add_object_id(key, value);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    add_bytes(key, value);
  } else {
    add_text(key, std::string_view(value));
  }
  return *this;
}

}  // namespace payam::chat::mongo
