#include "chat/auth/password.hpp"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <cerrno>
#include <memory>
#include <stdexcept>

#include "base/random.hpp"
#include "chat/rules.hpp"

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

bool can_be_password(const std::string& password) {
  return password.size() <= kMaxPasswordBytes && password.find('\0') == std::string::npos;
}

constexpr std::uint64_t rounds_of(int cost) { return std::uint64_t{1} << cost; }

// The hash of the setting (a hash begins with its own); nullopt if libxcrypt refuses it, at once. Every round is run here.
std::optional<std::string> bcrypt(const std::string& password, const std::string& setting) {
  const CryptData data(new crypt_data{});
  const char* hash = crypt_r(password.c_str(), setting.c_str(), data.get());
  if (hash == nullptr || !rules::bcrypt_cost(hash)) return std::nullopt;
  return hash;
}

// Each of the powers of two in `rounds` is a cost. Below 4, the lowest there is, they are too few to be seen.
std::uint64_t run_rounds(std::uint64_t rounds) {
  std::uint64_t run = 0;
  for (int cost = 4; cost <= kHighestPasswordCost; ++cost) {
    if ((rounds & rounds_of(cost)) != 0 && bcrypt("", decoy_hash(cost))) run += rounds_of(cost);
  }
  return run;
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
  auto hash = bcrypt(password, setting);
  if (!hash) throw std::runtime_error("libxcrypt does not do bcrypt");
  return *std::move(hash);
}

bool verify_password(const std::string& password, const std::string& hash) { return check_password(password, hash, 0).right; }

PasswordCheck check_password(const std::string& password, const std::optional<std::string>& hash, int cost) {
  PasswordCheck check;
  const auto own_cost = hash ? rules::bcrypt_cost(*hash) : std::nullopt;
  if (own_cost && *own_cost <= kHighestPasswordCost) {
    // A password that is too long is wrong, after the same time.
    const bool possible = can_be_password(password);
    if (const auto computed = bcrypt(possible ? password : "", *hash)) {
      check.rounds = rounds_of(*own_cost);
      check.right =
          possible && computed->size() == hash->size() && CRYPTO_memcmp(computed->data(), hash->data(), hash->size()) == 0;
    }
  }
  if (!check.right && check.rounds < rounds_of(cost)) check.rounds += run_rounds(rounds_of(cost) - check.rounds);
  return check;
}

Passwords::Passwords(WorkerPool& pool, int cost, const Budget::Bounds& bounds)
    : pool_(pool), cost_(cost), highest_cost_(cost), budget_(bounds) {}

void Passwords::expect_cost(int cost) {
  if (cost > kHighestPasswordCost) return;
  int highest = highest_cost_.load(std::memory_order_relaxed);
  while (cost > highest && !highest_cost_.compare_exchange_weak(highest, cost, std::memory_order_relaxed)) {
  }
}

template <class F>
Task<Result<std::invoke_result_t<F&>>> Passwords::run(F work, PasswordCaller caller) {
  const auto held = budget_.take({caller.network});
  if (!held) {
    if (held.error() == Budget::Over::address) co_return fail(Errc::rate_limited, "Too many attempts at once");
    co_return fail(Errc::unavailable, "Too busy; try again");
  }
  Turn turn{.caller = std::move(caller.network), .patience = kPatience, .stop = std::move(caller.gone)};
  try {
    co_return co_await pool_.run(std::move(work), std::move(turn));
  } catch (const Overloaded&) {
    co_return fail(Errc::unavailable, "Too busy; try again");
  }
}

Task<Result<std::string>> Passwords::hash(std::string password, PasswordCaller caller) {
  auto work = [&password, cost = cost_] {
    std::string hash = hash_password(password, cost);
    OPENSSL_cleanse(password.data(), password.size());
    return hash;
  };
  co_return co_await run(work, std::move(caller));
}

Task<Result<Passwords::Verdict>> Passwords::verify(std::string password, std::optional<std::string> hash,
                                                   PasswordCaller caller) {
  if (hash) expect_cost(rules::bcrypt_cost(*hash).value_or(0));
  auto work = [&password, &hash, this] {
    Verdict verdict;
    verdict.right = check_password(password, hash, highest_cost_.load(std::memory_order_relaxed)).right;
    const bool as_made_here = hash && hash->starts_with("$2b$") && rules::bcrypt_cost(*hash) == cost_;
    if (verdict.right && !as_made_here) verdict.renewed = hash_password(password, cost_);
    OPENSSL_cleanse(password.data(), password.size());
    return verdict;
  };
  co_return co_await run(work, std::move(caller));
}

}  // namespace payam::chat
