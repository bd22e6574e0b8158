#include "socketio/server/server_impl.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "base/clock.hpp"
#include "http/server/server.hpp"
#include "runtime/shard_set.hpp"
#include "socketio/server/connection.hpp"

namespace payam::sio::detail {
namespace {

// How long a server with threads of its own lets its clients take their leave.
constexpr Millis kGoodbye{2'000};

// Names are matched against patterns by a recursive engine.
constexpr std::size_t kMaxChildName = 256;

}  // namespace

eio::Options engine_options(const Options& options) {
  eio::Options engine;
  engine.ping_interval = options.ping_interval;
  engine.ping_timeout = options.ping_timeout;
  engine.upgrade_timeout = options.upgrade_timeout;
  engine.close_timeout = options.close_timeout;
  engine.max_payload = options.max_http_buffer_size;
  engine.max_payload_before_admission = options.max_payload_before_connect;
  engine.max_buffered_bytes = options.max_buffered_bytes;
  engine.polling_sessions = options.polling_connections;
  engine.incoming = options.incoming_bytes;
  engine.outgoing = options.outgoing_bytes;
  engine.allow_polling = options.allow_polling;
  engine.allow_websocket = options.allow_websocket;
  engine.allow_upgrades = options.allow_upgrades;
  engine.allow_eio3 = options.allow_eio3;
  if (options.permessage_deflate) {
    engine.permessage_deflate = eio::Options::Deflate{.threshold = options.permessage_deflate->threshold};
  }
  if (options.cors) {
    eio::Options::Cors cors;
    cors.origins = options.cors->origins;
    cors.credentials = options.cors->credentials;
    engine.cors = std::move(cors);
  }
  engine.allow_request = options.allow_request;
  engine.wait_before_handshake = options.wait_before_handshake;
  return engine;
}

ServerImpl::ServerImpl(std::shared_ptr<Core> its_core) : core(std::move(its_core)) {
  if (core->options.adapter != nullptr) cluster_ = std::make_shared<Cluster>(core, core->options.adapter);
  main_ = of("/");
}

ServerImpl::~ServerImpl() = default;

void ServerImpl::start() {
  engine_ = std::make_unique<eio::Server>(core->shards, engine_options(core->options),
                                          [weak = weak_from_this()](std::shared_ptr<eio::Session> session) {
                                            const auto self = weak.lock();
                                            return self != nullptr ? self->open(std::move(session)) : nullptr;
                                          });
  attach(own_routes_);
  if (cluster_ != nullptr) {
    cluster_->start([weak = weak_from_this()](const std::string& name) {
      const auto self = weak.lock();
      return self != nullptr ? self->find(name) : nullptr;
    });
  }
}

std::shared_ptr<NamespaceImpl> ServerImpl::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second;
}

std::shared_ptr<NamespaceImpl> ServerImpl::of(std::string_view name) {
  std::string full(name.starts_with('/') ? "" : "/");
  full += name;
  const std::lock_guard lock(mutex_);
  auto& nsp = namespaces_[full];
  if (nsp == nullptr) {
    nsp = std::make_shared<NamespaceImpl>(full, NamespaceImpl::Kind::fixed, core, cluster_,
                                          std::make_shared<NamespaceHandlers>());
  }
  return nsp;
}

std::shared_ptr<NamespaceImpl> ServerImpl::add_parent(ParentFunction function) {
  const std::lock_guard lock(mutex_);
  auto nsp = std::make_shared<NamespaceImpl>("/_" + std::to_string(parents_.size()), NamespaceImpl::Kind::parent, core,
                                             cluster_, std::make_shared<NamespaceHandlers>());
  parents_.push_back({nsp, std::move(function)});
  return nsp;
}

void ServerImpl::on_new_namespace(std::function<void(Namespace)> listener) {
  const std::lock_guard lock(mutex_);
  new_namespace_listeners_.push_back(std::move(listener));
}

std::shared_ptr<NamespaceImpl> ServerImpl::enter(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = namespaces_.find(name);
  if (found == namespaces_.end()) return nullptr;
  found->second->occupants.fetch_add(1);
  return found->second;
}

Task<std::shared_ptr<NamespaceImpl>> ServerImpl::enter_child(std::string name, json::object auth) {
  if (name.size() > kMaxChildName) co_return nullptr;
  std::vector<Parent> parents;
  {
    const std::lock_guard lock(mutex_);
    parents = parents_;
  }
  for (const Parent& parent : parents) {
    bool fits = false;
    try {
      auto result = parent.function(name, auth);
      if (auto* task = std::get_if<Task<bool>>(&result)) {
        fits = co_await std::move(*task);
      } else {
        fits = std::get<bool>(result);
      }
    } catch (...) {
      core->report("dynamic namespace", std::current_exception());
    }
    if (fits) co_return make_child(parent, name);
  }
  co_return nullptr;
}

std::shared_ptr<NamespaceImpl> ServerImpl::make_child(const Parent& parent, const std::string& name) {
  std::shared_ptr<NamespaceImpl> child;
  std::vector<std::function<void(Namespace)>> listeners;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = namespaces_.find(name); found != namespaces_.end()) {  // made in the meantime
      found->second->occupants.fetch_add(1);
      return found->second;
    }
    if (core->closed || children_ >= core->options.max_child_namespaces) return nullptr;
    child = std::make_shared<NamespaceImpl>(name, NamespaceImpl::Kind::child, core, cluster_, parent.nsp->handlers());
    child->occupants = 1;
    if (core->options.cleanup_empty_child_namespaces) {
      child->on_empty = [weak = weak_from_this(), name] {
        if (const auto self = weak.lock()) self->remove_if_empty(name);
      };
    }
    ++children_;
    namespaces_.emplace(name, child);
    parent.nsp->add_child(child);
    listeners = new_namespace_listeners_;
  }
  for (const auto& listener : listeners) {
    try {
      listener(Namespace(child));
    } catch (...) {
      core->report("new namespace listener", std::current_exception());
    }
  }
  return child;
}

void ServerImpl::remove_if_empty(const std::string& name) {
  std::shared_ptr<NamespaceImpl> removed;  // let go of after the lock
  const std::lock_guard lock(mutex_);
  const auto found = namespaces_.find(name);
  if (found == namespaces_.end() || found->second->occupants != 0) return;
  removed = found->second;
  namespaces_.erase(found);
  --children_;
  for (const Parent& parent : parents_) parent.nsp->remove_child(name);
}

void ServerImpl::attach(http::Router& router) {
  engine_->attach(router, core->options.path);
  for (const std::string& path : core->options.extra_paths) engine_->attach(router, path);
}

std::shared_ptr<eio::SessionHandler> ServerImpl::open(std::shared_ptr<eio::Session> session) {
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(session));
  if (connection->is_version_3()) connection->join_main();
  return connection;
}

void ServerImpl::close() {
  if (core->closed.exchange(true)) return;
  for (auto& listener : listeners_) listener->stop();
  engine_->shutdown();
  if (cluster_ != nullptr) cluster_->stop();
  std::vector<std::shared_ptr<NamespaceImpl>> namespaces;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, nsp] : namespaces_) namespaces.push_back(nsp);
  }
  for (std::size_t i = 0; i < core->shards.size(); ++i) {
    core->post(*core->shards[i], [shared = core, namespaces, i] {
      for (const auto& nsp : namespaces) nsp->part(i).drop_kept();
      if (i == 0) shared->fire_deadlines();
    });
  }
}

bool ServerImpl::wait(Millis limit) {
  const SteadyTime until = steady_now() + limit;
  const bool all_gone = engine_->wait(limit);
  return core->wait_idle(std::max(Millis{0}, std::chrono::duration_cast<Millis>(until - steady_now()))) && all_gone;
}

void ServerImpl::shut_down() {
  close();
  if (own_shards != nullptr) wait(kGoodbye);
  listeners_.clear();
  engine_.reset();
  if (own_shards != nullptr) run_posted();
  // An application's handlers often hold its namespaces: the circle ends here.
  std::vector<std::shared_ptr<NamespaceImpl>> namespaces;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, nsp] : namespaces_) namespaces.push_back(nsp);
    for (const Parent& parent : parents_) namespaces.push_back(parent.nsp);
    new_namespace_listeners_.clear();
    parents_.clear();
  }
  for (const auto& nsp : namespaces) nsp->change_handlers([](NamespaceHandlers& handlers) { handlers = {}; });
  if (own_shards != nullptr) {
    own_shards->stop();
    own_shards->join();
  }
}

// What close() and the engine's end have posted holds timers and sockets, which belong to their shards.
void ServerImpl::run_posted() {
  struct Ran {
    std::mutex mutex;
    std::condition_variable all;
    std::size_t left;
  };
  const auto ran = std::make_shared<Ran>();
  ran->left = core->shards.size();
  for (Shard* shard : core->shards) {
    shard->post([ran] {
      const std::lock_guard lock(ran->mutex);
      if (--ran->left == 0) ran->all.notify_all();
    });
  }
  std::unique_lock lock(ran->mutex);
  ran->all.wait_for(lock, kGoodbye, [&] { return ran->left == 0; });
}

Counters ServerImpl::counters() const {
  Counters out;
  for (std::size_t i = 0; i < core->shards.size(); ++i) {
    const auto& counts = core->state(i).counts;
    out.connections_open += counts.connections.get();
    out.connections_opened += counts.connections_opened.get();
    out.sockets_open += counts.sockets.get();
    out.sockets_connected += counts.sockets_connected.get();
    out.sockets_refused += counts.sockets_refused.get();
    out.sockets_recovered += counts.sockets_recovered.get();
    out.sessions_kept += counts.sessions_kept.get();
    out.events_received += counts.events.get();
    out.events_invalid += counts.events_invalid.get();
    out.packets_invalid += counts.packets_invalid.get();
    out.connections_overloaded += counts.connections_overloaded.get();
    out.connections_insistent += counts.connections_insistent.get();
    out.attachments_timed_out += counts.attachments_timed_out.get();
    out.deliveries += counts.deliveries.get();
    out.volatile_dropped += counts.volatile_dropped.get();
    out.acks_timed_out += counts.acks_timed_out.get();
  }
  out.attachment_bytes = BudgetCounters::of(core->attachment_bytes);
  out.broadcasts = core->broadcasts.load(std::memory_order_relaxed);
  if (engine_ != nullptr) {
    const eio::Counters engine = engine_->counters();
    out.bytes_queued = engine.bytes_queued;
    out.websockets_open = engine.websockets_open;
    out.upgrades = engine.upgrades;
    out.connections_overflowed = engine.overflows;
    out.polling_connections = engine.polling_sessions;
    out.incoming_bytes = engine.incoming;
    out.outgoing_bytes = engine.outgoing;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [name, nsp] : namespaces_) out.rooms += nsp->room_count();
  return out;
}

}  // namespace payam::sio::detail
