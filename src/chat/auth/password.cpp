#include "chat/auth/password.hpp"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <cerrno>
#include <memory>
#include <stdexcept>

#include "base/random.hpp"

namespace payam::chat {
namespace {

// crypt_data is 32 KiB: too large for a stack that may be small. Wiped, as it has held the password.
struct CryptDataDelete {
  void operator()(crypt_data* data) const {
    OPENSSL_cleanse(data, sizeof *data);
    delete data;
  }
};
using CryptData = std::unique_ptr<crypt_data, CryptDataDelete>;

bool is_bcrypt(std::string_view hash) {
  return hash.size() == 60 && (hash.starts_with("$2b$") || hash.starts_with("$2a$") || hash.starts_with("$2y$"));
}

bool can_be_password(const std::string& password) {
  return password.size() <= kMaxPasswordBytes && password.find('\0') == std::string::npos;
}

}  // namespace

std::string decoy_hash(int cost) { return fmt::format("$2b${:02}$abcdefghijklmnopqrstuu{:.<31}", cost, ""); }

std::string hash_password(const std::string& password, int cost) {
  if (!can_be_password(password)) throw std::invalid_argument("not a password bcrypt can take");
  std::string salt(16, '\0');
  random_bytes({reinterpret_cast<unsigned char*>(salt.data()), salt.size()});
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), salt.data(), static_cast<int>(salt.size()), setting,
                       sizeof setting) == nullptr) {
    throw std::runtime_error("libxcrypt makes no bcrypt salt");
  }
  const CryptData data(new crypt_data{});
  const char* hash = crypt_r(password.c_str(), setting, data.get());
  if (hash == nullptr || !is_bcrypt(hash)) throw std::runtime_error("libxcrypt does not do bcrypt");
  return hash;
}

bool verify_password(const std::string& password, const std::string& hash) {
  if (!is_bcrypt(hash)) return false;
  // A password that is too long is wrong, after the same time.
  const bool possible = can_be_password(password);
  const CryptData data(new crypt_data{});
  const char* computed = crypt_r(possible ? password.c_str() : "", hash.c_str(), data.get());
  return possible && computed != nullptr && std::string_view(computed).size() == hash.size() &&
         CRYPTO_memcmp(computed, hash.data(), hash.size()) == 0;
}

Passwords::Passwords(WorkerPool& pool, int cost) : pool_(pool), cost_(cost) {}

Task<std::string> Passwords::hash(std::string password) {
  auto work = [&password, cost = cost_] {
    std::string hash = hash_password(password, cost);
    OPENSSL_cleanse(password.data(), password.size());
    return hash;
  };
  co_return co_await pool_.run(work);
}

Task<bool> Passwords::verify(std::string password, std::optional<std::string> hash) {
  const std::string target = hash ? *hash : decoy_hash(cost_);
  auto work = [&] {
    const bool right = verify_password(password, target);
    OPENSSL_cleanse(password.data(), password.size());
    return right;
  };
  const bool right = co_await pool_.run(work);
  co_return right&& hash.has_value();
}

}  // namespace payam::chat
