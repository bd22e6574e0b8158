// Session ids: 20 unpredictable characters (120 bits), then the shard the session lives on, so that a request that arrives on
// another shard is passed on without a table shared by all. Whether a session exists only its shard knows.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace payam::eio {

std::string new_session_id(std::size_t shard);

// nullopt for what new_session_id() cannot have made for one of `shards`.
std::optional<std::size_t> shard_of(std::string_view session_id, std::size_t shards);

}  // namespace payam::eio
