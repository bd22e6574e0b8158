#include "http/server/server_state.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace payam::http {

const std::string& ShardState::date() {
  const auto now = wall_now();
  const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  if (second != date_second_) {
    date_second_ = second;
    date_ = to_http_date(now);
  }
  return date_;
}

ServerState::ServerState(std::vector<Shard*> list, Router r, ServerOptions o)
    : router(std::move(r)),
      options(std::move(o)),
      cors(options.cors_origins),
      proxies(options.trusted_proxies),
      census(std::make_shared<Census>(options.limits.connections, list.size())),
      bodies(options.limits.bodies),
      replies(options.limits.replies),
      id_prefix_(random_token(6)) {
  if (options.tls) tls.emplace(options.tls->certificate_file, options.tls->key_file);
  for (Shard* shard : list) shards.push_back(std::make_unique<ShardState>(*shard));
}

std::string ServerState::new_request_id() {
  return fmt::format("{}-{:06x}", id_prefix_, next_id_.fetch_add(1, std::memory_order_relaxed));
}

ServerState::OpenCount::OpenCount(std::shared_ptr<ServerState> state) : state_(std::move(state)) {
  const std::lock_guard lock(state_->mutex_);
  ++state_->open_;
}

ServerState::OpenCount::~OpenCount() {
  const std::lock_guard lock(state_->mutex_);
  if (--state_->open_ == 0) state_->none_open_.notify_all();
}

bool ServerState::wait_until_none_open(Millis limit) {
  std::unique_lock lock(mutex_);
  return none_open_.wait_for(lock, limit, [&] { return open_ == 0; });
}

}  // namespace payam::http
