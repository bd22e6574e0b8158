#include "http/packed_request.hpp"

#include <cstdint>
#include <cstring>

#include "http/message.hpp"

namespace payam::http {
namespace {

using Length = std::uint32_t;

std::string_view query_of(std::string_view target) {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

bool is_coded(std::string_view query) { return query.find_first_of("%+") != std::string_view::npos; }

}  // namespace

// Walks over the block's strings; behind the last one stand empty ones.
class PackedRequest::Strings {
 public:
  explicit Strings(const PackedRequest& request) {
    if (!request.block_) return;
    Length size;
    std::memcpy(&size, request.block_.get(), sizeof size);
    rest_ = {request.block_.get() + sizeof size, size};
  }

  bool at_end() const { return rest_.empty(); }
  std::string_view next() {
    if (rest_.empty()) return {};
    Length length;
    std::memcpy(&length, rest_.data(), sizeof length);
    const auto string = rest_.substr(sizeof length, length);
    rest_.remove_prefix(sizeof length + length);
    return string;
  }

 private:
  std::string_view rest_;
};

PackedRequest::PackedRequest(std::string_view target, std::string_view address, const Fields& headers) {
  std::vector<std::string_view> strings{address, target};
  for (const auto& [name, value] : headers) strings.insert(strings.end(), {name, value});
  Query decoded;
  if (const auto query = query_of(target); is_coded(query)) {
    decoded = Query::parse(query);
    strings.emplace_back();
    for (const auto& [name, value] : decoded.all()) strings.insert(strings.end(), {name, value});
  }
  std::size_t size = 0;
  for (const auto string : strings) size += sizeof(Length) + string.size();
  block_ = std::make_unique_for_overwrite<char[]>(sizeof(Length) + size);
  char* out = block_.get();
  const auto append_length = [&out](std::size_t length) {
    const auto written = static_cast<Length>(length);
    std::memcpy(out, &written, sizeof written);
    out += sizeof written;
  };
  append_length(size);
  for (const auto string : strings) {
    append_length(string.size());
    out += string.copy(out, string.size());
  }
}

std::string_view PackedRequest::address() const { return Strings(*this).next(); }

std::string_view PackedRequest::target() const {
  Strings strings(*this);
  strings.next();
  return strings.next();
}

std::optional<std::string_view> PackedRequest::header(std::string_view name) const {
  Strings strings(*this);
  strings.next();
  strings.next();
  while (!strings.at_end()) {
    const auto each = strings.next();
    if (each.empty()) break;
    const auto value = strings.next();
    if (equals_ignoring_case(each, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> PackedRequest::query(std::string_view name) const {
  Strings strings(*this);
  strings.next();
  const auto query = query_of(strings.next());
  if (!is_coded(query)) return Query::find_uncoded(query, name);
  while (!strings.next().empty()) strings.next();
  while (!strings.at_end()) {
    const auto each = strings.next();
    const auto value = strings.next();
    if (each == name) return value;
  }
  return std::nullopt;
}

}  // namespace payam::http
