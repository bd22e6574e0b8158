#include "http/packed_fields.hpp"

#include <cstring>

#include "http/message.hpp"

namespace payam::http {

PackedFields::PackedFields(const std::vector<std::pair<std::string, std::string>>& fields, Names names) {
  if (fields.empty()) return;
  std::size_t bytes = 0;
  for (const auto& [name, value] : fields) bytes += sizeof(Lengths) + name.size() + value.size();
  block_ = std::make_unique_for_overwrite<char[]>(sizeof(Head) + bytes);
  char* out = block_.get();
  const auto append = [&out](const void* from, std::size_t size) {
    std::memcpy(out, from, size);
    out += size;
  };
  const Head head{static_cast<std::uint32_t>(bytes), names};
  append(&head, sizeof head);
  for (const auto& [name, value] : fields) {
    const Lengths lengths{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
    append(&lengths, sizeof lengths);
    append(name.data(), name.size());
    append(value.data(), value.size());
  }
}

// `visit(name, value, names)` answers whether to go on.
template <class F>
void PackedFields::each(F visit) const {
  if (!block_) return;
  Head head;
  std::memcpy(&head, block_.get(), sizeof head);
  for (std::string_view rest(block_.get() + sizeof head, head.bytes); !rest.empty();) {
    Lengths lengths;
    std::memcpy(&lengths, rest.data(), sizeof lengths);
    rest.remove_prefix(sizeof lengths);
    if (!visit(rest.substr(0, lengths.name), rest.substr(lengths.name, lengths.value), head.names)) return;
    rest.remove_prefix(std::size_t{lengths.name} + lengths.value);
  }
}

std::optional<std::string_view> PackedFields::find(std::string_view name) const {
  std::optional<std::string_view> found;
  each([&](std::string_view each_name, std::string_view value, Names names) {
    if (names == Names::any_case ? equals_ignoring_case(each_name, name) : each_name == name) found = value;
    return !found;
  });
  return found;
}

std::vector<std::pair<std::string_view, std::string_view>> PackedFields::all() const {
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  each([&](std::string_view name, std::string_view value, Names) {
    fields.emplace_back(name, value);
    return true;
  });
  return fields;
}

}  // namespace payam::http
