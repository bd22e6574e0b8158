#include "engineio/server/session_id.hpp"

#include <charconv>

#include "base/random.hpp"

namespace payam::eio {
namespace {

constexpr std::size_t kRandomBytes = 15;
constexpr std::size_t kRandomCharacters = 20;

}  // namespace

std::string new_session_id(std::size_t shard) { return random_token(kRandomBytes) + std::to_string(shard); }

std::optional<std::size_t> shard_of(std::string_view session_id, std::size_t shards) {
  if (session_id.size() <= kRandomCharacters) return std::nullopt;
  const std::string_view digits = session_id.substr(kRandomCharacters);
  std::size_t shard = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), shard);
  if (error != std::errc{} || end != digits.data() + digits.size() || shard >= shards) return std::nullopt;
  return shard;
}

}  // namespace payam::eio
