#include "http/packed_fields.hpp"

#include <cstring>

#include "http/message.hpp"

namespace payam::http {

PackedFields::PackedFields(const std::vector<std::pair<std::string, std::string>>& fields, Names names) : names_(names) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : fields) bytes += sizeof(Lengths) + name.size() + value.size();
  block_.reserve(bytes);
  for (const auto& [name, value] : fields) {
    const Lengths lengths{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
    block_.append(reinterpret_cast<const char*>(&lengths), sizeof lengths).append(name).append(value);
  }
}

// `visit(name, value)` answers whether to go on.
template <class F>
void PackedFields::each(F visit) const {
  for (std::string_view rest = block_; !rest.empty();) {
    Lengths lengths;
    std::memcpy(&lengths, rest.data(), sizeof lengths);
    rest.remove_prefix(sizeof lengths);
    if (!visit(rest.substr(0, lengths.name), rest.substr(lengths.name, lengths.value))) return;
    rest.remove_prefix(std::size_t{lengths.name} + lengths.value);
  }
}

std::optional<std::string_view> PackedFields::find(std::string_view name) const {
  std::optional<std::string_view> found;
  each([&](std::string_view each_name, std::string_view value) {
    if (names_ == Names::any_case ? equals_ignoring_case(each_name, name) : each_name == name) found = value;
    return !found;
  });
  return found;
}

std::vector<std::pair<std::string_view, std::string_view>> PackedFields::all() const {
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  each([&](std::string_view name, std::string_view value) {
    fields.emplace_back(name, value);
    return true;
  });
  return fields;
}

}  // namespace payam::http
