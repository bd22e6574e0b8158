// The fields of a request that are kept as long as its connection: one block of memory in place of two strings a field. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace payam::http {

class PackedFields {
 public:
  enum class Names : std::uint32_t { exact, any_case };

  PackedFields() = default;
  PackedFields(const std::vector<std::pair<std::string, std::string>>& fields, Names names);

  // The first one's value; nullopt if there is none. Valid as long as this object.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  // All of them, in order, as they were.
  std::vector<std::pair<std::string_view, std::string_view>> all() const;

 private:
  // The block: a head, then the fields. A field is its name's and its value's length, then both.
  struct Head {
    std::uint32_t bytes;  // of the fields
    Names names;
  };
  struct Lengths {
    std::uint32_t name, value;
  };
  template <class F>
  void each(F visit) const;

  std::unique_ptr<char[]> block_;  // null: no fields
};

}  // namespace payam::http
