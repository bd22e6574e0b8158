// Password hashes: bcrypt by libxcrypt. What is made is `$2b$`; what passlib or bcrypt made elsewhere (`$2a$`, `$2y$`)
// verifies.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/budget.hpp"
#include "base/error.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

inline constexpr std::size_t kMinPasswordLength = 8;  // code points
inline constexpr std::size_t kMaxPasswordBytes = 72;  // bcrypt reads no further; longer ones are refused, never cut
inline constexpr int kHighestPasswordCost = 20;       // a minute; hashes that cost more are of no use

// All take as long as the cost says (12: a quarter of a second): never on a shard.
// `password` is at most kMaxPasswordBytes long and holds no NUL. Throws std::runtime_error if libxcrypt cannot.
std::string hash_password(const std::string& password, int cost);
// False too for a hash of another kind and for a password that cannot be one.
bool verify_password(const std::string& password, const std::string& hash);

// What came of a check, and what it took: bcrypt's rounds, 2^cost for a hash.
struct PasswordCheck {
  bool right = false;
  std::uint64_t rounds = 0;
};
// As verify_password(), but a wrong password takes the rounds of `cost`, whatever the hash: of a lower cost, not a hash at all,
// or none (nobody has the account). Only a hash of a higher cost takes more.
PasswordCheck check_password(const std::string& password, const std::optional<std::string>& hash, int cost);

// A well-formed hash of that cost which no password matches.
std::string decoy_hash(int cost);

// On whose behalf something is hashed, and whether they still wait for it.
struct PasswordCaller {
  std::string network;  // network_of() the address
  std::stop_token gone = {};
};

// Hashing on its own pool, in turn by address. Any shard.
//
// What is not begun is Errc::rate_limited if the address has too much under way, and Errc::unavailable if everybody together
// has, or if its turn does not come in time.
class Passwords {
 public:
  static constexpr Millis kPatience{10'000};
  // As HoldingLimits has it: checks that wait or run.
  static constexpr Budget::Bounds kBounds{.address = 16, .total = 256};

  // `pool` outlives this; its queue takes as many as `bounds` allows in all. `cost` is 4 to kHighestPasswordCost.
  Passwords(WorkerPool& pool, int cost, const Budget::Bounds& bounds = kBounds);

  Task<Result<std::string>> hash(std::string password, PasswordCaller caller);

  struct Verdict {
    bool right = false;
    std::optional<std::string> renewed;  // if right: the same password's hash, where it had another cost or form
  };
  // A wrong password takes the same time whatever the hash, also with none (an unknown user), so that nobody learns from the
  // clock who has an account.
  Task<Result<Verdict>> verify(std::string password, std::optional<std::string> hash, PasswordCaller caller);

  // Some stored hash costs as much: from now on a wrong password takes that long for everybody. Learnt from the hashes that
  // are checked, too.
  void expect_cost(int cost);

  const Budget& budget() const { return budget_; }

 private:
  // `work` refers to locals of the caller's.
  template <class F>
  Task<Result<std::invoke_result_t<F&>>> run(F work, PasswordCaller caller);

  WorkerPool& pool_;
  const int cost_;
  std::atomic<int> highest_cost_;
  Budget budget_;
};

}  // namespace payam::chat
