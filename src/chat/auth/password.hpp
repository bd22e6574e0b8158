// Password hashes: bcrypt by libxcrypt. What is made is `$2b$`; what passlib or bcrypt made elsewhere (`$2a$`, `$2y$`)
// verifies.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

inline constexpr std::size_t kMinPasswordLength = 8;  // code points
inline constexpr std::size_t kMaxPasswordBytes = 72;  // bcrypt reads no further; longer ones are refused, never cut

// Both take as long as the cost says (12: a quarter of a second): never on a shard.
// `password` is at most kMaxPasswordBytes long and holds no NUL. Throws std::runtime_error if libxcrypt cannot.
std::string hash_password(const std::string& password, int cost);
// False too for a hash of another kind and for a password that cannot be one.
bool verify_password(const std::string& password, const std::string& hash);

// A well-formed hash of that cost which no password matches.
std::string decoy_hash(int cost);

// Hashing on its own pool; throws Overloaded when too many wait. Any shard.
class Passwords {
 public:
  // `pool` outlives this. `cost` is 4 to 31.
  Passwords(WorkerPool& pool, int cost);

  Task<std::string> hash(std::string password);
  // Takes the same time with no hash (an unknown user), so that nobody learns from the clock who has an account.
  Task<bool> verify(std::string password, std::optional<std::string> hash);

 private:
  WorkerPool& pool_;
  const int cost_;
};

}  // namespace payam::chat
