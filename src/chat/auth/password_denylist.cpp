#include "chat/auth/password_denylist.hpp"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "chat/auth/sha256.hpp"

namespace payam::chat {
namespace {

constexpr std::size_t kLongest = 1024;  // bytes of a line; no password is as long

// NFC again at the end: folding can undo it. Text that is no UTF-8 is compared as ICU mends it.
std::string folded(std::string_view password) {
  if (std::ranges::all_of(password, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    std::string text(password);
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  std::string composed, without_case, text;
  icu::StringByteSink composed_sink(&composed), case_sink(&without_case), sink(&text);
  if (U_SUCCESS(error))
    nfc->normalizeUTF8(0, {password.data(), static_cast<int32_t>(password.size())}, composed_sink, nullptr, error);
  icu::CaseMap::utf8Fold(0, composed, case_sink, nullptr, error);
  if (U_SUCCESS(error)) nfc->normalizeUTF8(0, without_case, sink, nullptr, error);
  return U_SUCCESS(error) ? text : std::string(password);
}

std::uint64_t hash_of(std::string_view password) {
  const Sha256 digest = sha256(folded(password));
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
  throw std::runtime_error(fmt::format("PASSWORD_DENYLIST: {}: {}", file.string(), why));
}

}  // namespace

PasswordDenylist PasswordDenylist::read(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) refuse(file, error ? error.message() : std::strerror(ENOENT));
  if (!std::filesystem::is_regular_file(status)) refuse(file, "not a file");
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) refuse(file, error.message());
  if (bytes > kMaxFileBytes) refuse(file, fmt::format("larger than {} MiB", kMaxFileBytes >> 20));

  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse(file, std::strerror(errno));
  PasswordDenylist list;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && line.size() <= kLongest) list.hashes_.push_back(hash_of(line));
  }
  if (in.bad()) refuse(file, "cannot be read");
  std::ranges::sort(list.hashes_);
  list.hashes_.erase(std::unique(list.hashes_.begin(), list.hashes_.end()), list.hashes_.end());
  list.hashes_.shrink_to_fit();
  return list;
}

bool PasswordDenylist::contains(std::string_view password) const {
  return !hashes_.empty() && std::ranges::binary_search(hashes_, hash_of(password));
}

}  // namespace payam::chat
