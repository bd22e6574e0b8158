// Passwords nobody may choose, from a file of the operator's: one a line, UTF-8. Compared after NFC and without case, so that
// `Password1` is refused where `password1` is in the list.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace payam::chat {

// Eight bytes a password: another one is refused by mistake once in 2^64 / size().
class PasswordDenylist {
 public:
  static constexpr std::uintmax_t kMaxFileBytes = 256 << 20;  // 30 million passwords
  static constexpr std::string_view kRefused = "this password is on the list of those everybody tries first";

  PasswordDenylist() = default;  // refuses nothing
  // Throws std::runtime_error with a line for the operator if the file is missing, unreadable, too large or no file.
  static PasswordDenylist read(const std::filesystem::path& file);

  bool contains(std::string_view password) const;
  std::size_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;  // sorted, each once
};

}  // namespace payam::chat
