// Strong types over a plain value, so that a room's id is never taken for a user's, nor a seq for a rev.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace payam {

// An opaque identifier; what it holds is nobody's business but its maker's.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

// A counter: 0 means "none yet", the first is 1.
template <class Tag>
struct Counter {
  std::int64_t value = 0;

  auto operator<=>(const Counter&) const = default;
  Counter next() const { return Counter{value + 1}; }
};

// Whether a type is one of these.
template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;
template <class T>
inline constexpr bool is_counter = false;
template <class Tag>
inline constexpr bool is_counter<Counter<Tag>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace payam

template <class Tag>
struct std::hash<payam::Id<Tag>> {
  std::size_t operator()(const payam::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
