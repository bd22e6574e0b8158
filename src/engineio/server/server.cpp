#include "engineio/server/server.hpp"

#include <limits>

#include "engineio/server/home.hpp"
#include "engineio/server/request_handler.hpp"

namespace payam::eio {
namespace {

// Posted to a shard when the server dies. Should that shard never run again, the destructor does what is left to do.
class LastWork {
 public:
  explicit LastWork(std::shared_ptr<Home> home) : home_(std::move(home)) {}
  LastWork(LastWork&&) = default;
  LastWork& operator=(LastWork&&) = delete;
  ~LastWork() {
    if (home_) home_->drop_all();
  }
  void operator()() { std::exchange(home_, nullptr)->cut_off(); }

 private:
  std::shared_ptr<Home> home_;
};

}  // namespace

struct Server::Impl {
  Impl(Options options, OnSession on_session) : common(std::make_shared<Common>(std::move(options), std::move(on_session))) {}

  const std::shared_ptr<Common> common;
  std::vector<std::shared_ptr<Home>> homes;
};

Server::Server(std::vector<Shard*> shards, Options options, OnSession on_session)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(on_session))) {
  for (Shard* shard : shards) impl_->homes.push_back(std::make_shared<Home>(*shard, impl_->homes.size(), impl_->common));
}

Server::~Server() {
  impl_->common->stopping = true;
  for (const auto& home : impl_->homes) home->shard().post(LastWork(home));
}

void Server::attach(http::Router& router, std::string path) {
  auto handler = std::make_shared<const RequestHandler>(impl_->common, impl_->homes);
  auto handle = [handler](Shard& shard, http::Request& request, http::BodySource& body) {
    return handler->handle(shard, request, body);
  };
  // Bodies are streamed: a post is known to its session from its head on, and its limit is the session's own.
  router.add_any(std::move(path), std::move(handle), {.max_body = std::numeric_limits<std::uint64_t>::max()});
}

void Server::shutdown() {
  impl_->common->stopping = true;
  for (const auto& home : impl_->homes) {
    home->shard().post([home] { home->end_all(CloseReason::server_shutdown); });
  }
}

bool Server::wait(Millis limit) { return impl_->common->census.wait_for_none(limit); }

Counters Server::counters() const {
  Counters counters;
  for (const auto& home : impl_->homes) home->add_to(counters);
  counters.polling_sessions = BudgetCounters::of(impl_->common->polling_sessions);
  counters.incoming = BudgetCounters::of(impl_->common->incoming);
  counters.outgoing = BudgetCounters::of(impl_->common->outgoing);
  return counters;
}

}  // namespace payam::eio
