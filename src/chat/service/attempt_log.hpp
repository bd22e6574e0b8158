// What strangers can cause without end, in the log all the same: of each kind and address one line a minute, with how often it
// happened since the line before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/salted_hash.hpp"

namespace payam::chat {

enum class Attempt : std::uint8_t { sign_in_failed, sign_in_throttled, sign_up_throttled, password_wrong };

// Any thread.
class AttemptLog {
 public:
  static constexpr std::size_t kMostLines = 20'000;  // kinds and addresses remembered; then all are written and forgotten
  static constexpr Millis kEvery{60'000};

  ~AttemptLog();

  void count(Attempt attempt, const std::string& address, SteadyTime now = steady_now());
  // Writes what was counted and whose minute is over.
  void tend(SteadyTime now = steady_now());

 private:
  struct Line {
    Attempt attempt = Attempt::sign_in_failed;
    std::string network;
    SteadyTime written;
    std::uint64_t since = 0;  // counted and not written

    void write(SteadyTime now);
  };

  void write_all(SteadyTime now);

  std::mutex mutex_;
  std::unordered_map<std::string, Line, SaltedHash, std::equal_to<>> lines_;
};

}  // namespace payam::chat
