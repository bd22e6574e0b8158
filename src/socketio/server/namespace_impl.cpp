#include "socketio/server/namespace_impl.hpp"

#include <stdexcept>

#include "socketio/packet.hpp"
#include "socketio/server/cluster.hpp"

namespace payam::sio::detail {
namespace {

// Acknowledgements of this server's own broadcasts.
class LocalCollector final : public AckCollector {
 public:
  explicit LocalCollector(std::shared_ptr<Gather<Arguments>> gather) : gather_(std::move(gather)) {}

  void announce(std::size_t receivers) override { gather_->announce(receivers); }
  void give(Arguments reply) override { gather_->give(std::move(reply)); }
  void lose() override { gather_->lose(); }

 private:
  std::shared_ptr<Gather<Arguments>> gather_;
};

}  // namespace

NamespaceImpl::NamespaceImpl(std::string its_name, Kind its_kind, std::shared_ptr<Core> its_core,
                             std::shared_ptr<Cluster> its_cluster, std::shared_ptr<const NamespaceHandlers> its_handlers)
    : name(std::move(its_name)),
      kind(its_kind),
      core(std::move(its_core)),
      cluster(std::move(its_cluster)),
      handlers_(std::move(its_handlers)) {
  if (kind == Kind::parent) return;
  for (std::size_t i = 0; i < core->shards.size(); ++i) {
    parts_.push_back(std::make_unique<NamespacePart>(*this, *core, core->state(i)));
  }
}

NamespaceImpl::~NamespaceImpl() = default;

std::size_t NamespaceImpl::room_count() const {
  std::size_t count = 0;
  for (const auto& part : parts_) count += part->index.room_count();
  return count;
}

std::shared_ptr<const NamespaceHandlers> NamespaceImpl::handlers() const {
  const std::lock_guard lock(mutex_);
  return handlers_;
}

void NamespaceImpl::change_handlers(const std::function<void(NamespaceHandlers&)>& change) {
  std::shared_ptr<const NamespaceHandlers> old;  // freed after the lock, as it may hold the last of anything
  const std::lock_guard lock(mutex_);
  auto changed = std::make_shared<NamespaceHandlers>(*handlers_);
  change(*changed);
  old = std::exchange(handlers_, std::move(changed));
}

template <class F>
void NamespaceImpl::each_part(F work) {
  if (core->closed.load(std::memory_order_relaxed)) return;
  auto shared = std::make_shared<F>(std::move(work));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (core->shards[i]->here()) continue;
    core->shards[i]->post([self = shared_from_this(), i, shared] { (*shared)(*self->parts_[i]); });
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (core->shards[i]->here()) (*shared)(*parts_[i]);
  }
}

ClusterMessage NamespaceImpl::message_for(ClusterMessage::Type type, const Target& target) const {
  ClusterMessage message;
  message.type = type;
  message.nsp = name;
  message.target = target;
  return message;
}

ClusterMessage NamespaceImpl::event_message(ClusterMessage::Type type, const Target& target, const Flags& flags,
                                            std::string_view event, Content& content) const {
  ClusterMessage message = message_for(type, target);
  message.is_volatile = flags.is_volatile;
  message.compress = flags.compress;
  message.event = event;
  message.json_arguments = content.json();
  message.attachments = content.attachments();
  return message;
}

template <class T>
std::shared_ptr<Gather<T>> NamespaceImpl::ask(std::size_t parties, std::uint64_t request, Millis timeout,
                                              typename Gather<T>::Done done) {
  const Core::DeadlineId deadline = core->new_deadline();
  auto ended = [self = shared_from_this(), deadline, request,
                done = std::move(done)](typename Gather<T>::Result result) mutable {
    self->core->cancel_deadline(deadline);
    if (request != 0) self->cluster->end_request(request);
    done(std::move(result));
  };
  auto gather = std::make_shared<Gather<T>>(parties, std::move(ended));
  if (request != 0) cluster->add_request(request, gather);
  core->start_deadline(deadline, timeout, [gather] { gather->time_out(); });
  return gather;
}

void NamespaceImpl::broadcast(Target target, const Flags& flags, std::string_view event, Content content) {
  if (is_reserved_event(event)) throw std::invalid_argument("\"" + std::string(event) + "\" is a reserved event name");
  if (kind == Kind::parent) {
    for (const auto& child : children()) child->broadcast(target, flags, event, content);
    return;
  }
  if (cluster != nullptr && !flags.local) {
    cluster->publish(event_message(ClusterMessage::Type::broadcast, target, flags, event, content));
  }
  broadcast_here(std::move(target), flags.is_volatile, flags.compress, event, std::move(content), nullptr, 0);
}

void NamespaceImpl::broadcast_here(Target target, bool is_volatile, bool compress, std::string_view event, Content content,
                                   std::shared_ptr<AckCollector> collector, std::uint64_t ack_id) {
  auto broadcast = std::make_shared<Broadcast>(
      Broadcast{std::move(target), is_volatile, compress, std::string(event), std::move(content), {}, std::nullopt, 0});
  if (collector != nullptr) broadcast->ack_id = ack_id;
  broadcast->parts = core->encoder.event(name, event, broadcast->content, broadcast->ack_id);
  if (core->options.connection_state_recovery && !is_volatile && collector == nullptr) broadcast->offset = next_offset();
  core->broadcasts.fetch_add(1, std::memory_order_relaxed);
  each_part([broadcast = std::move(broadcast), collector = std::move(collector)](NamespacePart& part) {
    part.deliver(*broadcast, collector);
  });
}

void NamespaceImpl::join(Target target, const Flags& flags, std::vector<std::string> rooms) {
  if (kind == Kind::parent) {
    for (const auto& child : children()) child->join(target, flags, rooms);
    return;
  }
  if (cluster != nullptr && !flags.local) {
    ClusterMessage message = message_for(ClusterMessage::Type::sockets_join, target);
    message.rooms = rooms;
    cluster->publish(std::move(message));
  }
  join_here(std::move(target), std::move(rooms));
}

void NamespaceImpl::leave(Target target, const Flags& flags, std::vector<std::string> rooms) {
  if (kind == Kind::parent) {
    for (const auto& child : children()) child->leave(target, flags, rooms);
    return;
  }
  if (cluster != nullptr && !flags.local) {
    ClusterMessage message = message_for(ClusterMessage::Type::sockets_leave, target);
    message.rooms = rooms;
    cluster->publish(std::move(message));
  }
  leave_here(std::move(target), std::move(rooms));
}

void NamespaceImpl::disconnect(Target target, const Flags& flags, bool close) {
  if (kind == Kind::parent) {
    for (const auto& child : children()) child->disconnect(target, flags, close);
    return;
  }
  if (cluster != nullptr && !flags.local) {
    ClusterMessage message = message_for(ClusterMessage::Type::disconnect_sockets, target);
    message.close = close;
    cluster->publish(std::move(message));
  }
  disconnect_here(std::move(target), close);
}

void NamespaceImpl::join_here(Target target, std::vector<std::string> rooms) {
  each_part([target = std::move(target), rooms = std::move(rooms)](NamespacePart& part) { part.join(target, rooms); });
}

void NamespaceImpl::leave_here(Target target, std::vector<std::string> rooms) {
  each_part([target = std::move(target), rooms = std::move(rooms)](NamespacePart& part) { part.leave(target, rooms); });
}

void NamespaceImpl::disconnect_here(Target target, bool close) {
  each_part([target = std::move(target), close](NamespacePart& part) { part.disconnect(target, close); });
}

void NamespaceImpl::request(Target target, const Flags& flags, std::string_view event, Content content,
                            Gather<Arguments>::Done done) {
  if (is_reserved_event(event)) throw std::invalid_argument("\"" + std::string(event) + "\" is a reserved event name");
  if (kind == Kind::parent) throw std::invalid_argument("a parent namespace cannot collect acknowledgements");
  if (core->closed) return done({});
  const Millis timeout = flags.timeout.value_or(core->options.ack_timeout);
  const std::uint64_t ack_id = next_broadcast_ack_id();
  auto forgetting = [self = shared_from_this(), ack_id, done = std::move(done)](Gather<Arguments>::Result result) mutable {
    if (result.timed_out) self->forget_broadcast(ack_id);
    done(std::move(result));
  };
  const bool remote = cluster != nullptr && !flags.local;
  const std::uint64_t request = remote ? cluster->new_request() : 0;
  auto gather =
      ask<Arguments>(core->shards.size() + (remote ? cluster->other_servers() : 0), request, timeout, std::move(forgetting));
  if (remote) {
    ClusterMessage message = event_message(ClusterMessage::Type::broadcast_with_ack, target, flags, event, content);
    message.timeout = timeout;
    message.request = request;
    cluster->publish(std::move(message));
  }
  broadcast_here(std::move(target), flags.is_volatile, flags.compress, event, std::move(content),
                 std::make_shared<LocalCollector>(std::move(gather)), ack_id);
}

void NamespaceImpl::fetch(Target target, const Flags& flags, Gather<SocketDetails>::Done done) {
  if (kind == Kind::parent) throw std::invalid_argument("fetch_sockets() of a parent namespace: ask its children");
  if (core->closed) return done({});
  const bool remote = cluster != nullptr && !flags.local;
  const std::uint64_t request = remote ? cluster->new_request() : 0;
  auto gather = ask<SocketDetails>(core->shards.size() + (remote ? cluster->other_servers() : 0), request,
                                   core->options.adapter_timeout, std::move(done));
  if (remote) {
    ClusterMessage message = message_for(ClusterMessage::Type::fetch_sockets, target);
    message.request = request;
    cluster->publish(std::move(message));
  }
  fetch_here(std::move(target), std::move(gather));
}

void NamespaceImpl::fetch_here(Target target, std::shared_ptr<Gather<SocketDetails>> gather) {
  each_part([target = std::move(target), gather = std::move(gather)](NamespacePart& part) {
    gather->give_all(part.details(target));
  });
}

void NamespaceImpl::forget_broadcast(std::uint64_t ack_id) {
  each_part([ack_id](NamespacePart& part) { part.forget_broadcast(ack_id); });
}

std::uint64_t NamespaceImpl::next_broadcast_ack_id() {
  // Below 2^31: some clients keep ids in 32 bits.
  return kFirstBroadcastAckId + broadcast_acks_.fetch_add(1, std::memory_order_relaxed) % kFirstBroadcastAckId;
}

void NamespaceImpl::server_side_emit(std::string_view event, Arguments arguments) {
  if (cluster == nullptr) return;
  Content content(std::move(arguments));
  cluster->publish(event_message(ClusterMessage::Type::server_side_emit, {}, {}, event, content));
}

void NamespaceImpl::server_side_request(std::string_view event, Arguments arguments, Millis timeout,
                                        Gather<Arguments>::Done done) {
  const std::size_t others = cluster == nullptr || core->closed ? 0 : cluster->other_servers();
  if (others == 0) return done({});
  const std::uint64_t request = cluster->new_request();
  const auto gather = ask<Arguments>(others, request, timeout, std::move(done));
  Content content(std::move(arguments));
  ClusterMessage message = event_message(ClusterMessage::Type::server_side_emit, {}, {}, event, content);
  message.request = request;
  cluster->publish(std::move(message));
}

void NamespaceImpl::on_server_event(std::string event, Arguments arguments, Ack ack) {
  Shard& shard = *core->shards.front();
  shard.post([self = shared_from_this(), event = std::move(event), arguments = std::move(arguments), ack, &shard]() mutable {
    const auto held = self->handlers();
    const auto found = held->server_events.find(event);
    if (found == held->server_events.end()) return;
    const auto listeners = found->second.get();
    for (const Listener& listener : *listeners) {
      Event call_event{event, arguments, static_cast<bool>(ack)};
      const SocketPtr nobody;
      HandlerCall call{nobody, call_event, ack};
      try {
        if (Task<> task = (*listener.handler)(call); task.valid()) {
          self->core->spawn(shard, std::move(task), [self, keep = listener.handler](std::exception_ptr error) {
            if (error) self->core->report("server event", error);
          });
        }
      } catch (...) {
        self->core->report("server event", std::current_exception());
      }
    }
  });
}

void NamespaceImpl::set_home(const std::string& pid, std::size_t shard) {
  const std::lock_guard lock(mutex_);
  homes_[pid] = shard;
}

void NamespaceImpl::forget_home(const std::string& pid) {
  const std::lock_guard lock(mutex_);
  homes_.erase(pid);
}

std::optional<std::size_t> NamespaceImpl::find_home(const std::string& pid) const {
  const std::lock_guard lock(mutex_);
  const auto found = homes_.find(pid);
  return found == homes_.end() ? std::nullopt : std::optional(found->second);
}

void NamespaceImpl::vacate() {
  if (occupants.fetch_sub(1) == 1 && on_empty) on_empty();
}

void NamespaceImpl::add_child(const std::shared_ptr<NamespaceImpl>& child) {
  const std::lock_guard lock(mutex_);
  children_.emplace(child->name, child);
}

void NamespaceImpl::remove_child(const std::string& child_name) {
  const std::lock_guard lock(mutex_);
  children_.erase(child_name);
}

std::vector<std::shared_ptr<NamespaceImpl>> NamespaceImpl::children() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<NamespaceImpl>> out;
  for (const auto& [child_name, child] : children_) out.push_back(child);
  return out;
}

}  // namespace payam::sio::detail
