// What of a request is kept as long as its connection: one block of memory in place of two strings a field. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace payam::http {

class PackedRequest {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  PackedRequest() = default;
  // `target` as sent. Headers have names.
  PackedRequest(std::string_view target, std::string_view address, const Fields& headers);

  // All valid as long as this object.
  std::string_view target() const;
  std::string_view address() const;
  // The first one's value, by name without case; nullopt if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  // A field of the target's query, decoded.
  std::optional<std::string_view> query(std::string_view name) const;

 private:
  class Strings;

  // Its size, then strings, each behind its length: address, target, name and value of each header. A query in which nothing
  // is coded is read from the target; of another the decoded fields follow, behind an empty name.
  std::unique_ptr<char[]> block_;  // null: nothing
};

}  // namespace payam::http
