#include "socketio/server/cluster.hpp"

#include <utility>

#include "socketio/content.hpp"
#include "socketio/json_text.hpp"
#include "socketio/server/namespace_impl.hpp"

namespace payam::sio::detail {
namespace {

// Other servers are believed, but not to the point of throwing: what cannot be read is empty.
Arguments arguments_of(ClusterMessage& message) {
  Arguments out;
  json::value parsed;
  std::string ignored;
  if (read_json("[" + message.json_arguments + "]", parsed, ignored) == JsonStatus::ok)
    out.values = std::move(parsed.get_array());
  out.attachments = std::move(message.attachments);
  return out;
}

void set_arguments(ClusterMessage& message, Arguments arguments) {
  Content content(std::move(arguments));
  message.json_arguments = content.json();
  message.attachments = content.attachments();
}

// Sends the acknowledgements of another server's broadcast back to it.
class RemoteCollector final : public AckCollector {
 public:
  // `answer` has everything but what is told.
  RemoteCollector(std::shared_ptr<Cluster> cluster, std::size_t shards, ClusterMessage answer)
      : cluster_(std::move(cluster)), answer_(std::move(answer)), shards_left_(shards) {}

  void announce(std::size_t receivers) override {
    {
      const std::lock_guard lock(mutex_);
      receivers_ += receivers;
      if (--shards_left_ != 0) return;
    }
    ClusterMessage message = answer_;
    message.type = ClusterMessage::Type::client_count;
    message.count = receivers_;
    cluster_->publish(std::move(message));
  }
  void give(Arguments reply) override {
    ClusterMessage message = answer_;
    set_arguments(message, std::move(reply));
    cluster_->publish(std::move(message));
  }
  void lose() override {
    ClusterMessage message = answer_;
    message.lost = true;
    cluster_->publish(std::move(message));
  }

 private:
  const std::shared_ptr<Cluster> cluster_;
  const ClusterMessage answer_;
  std::mutex mutex_;
  std::size_t shards_left_;
  std::size_t receivers_ = 0;
};

// The acknowledgement a server-side event asks for.
class ServerAck final : public AckSink {
 public:
  ServerAck(std::shared_ptr<Cluster> cluster, ClusterMessage answer)
      : cluster_(std::move(cluster)), answer_(std::move(answer)) {}

  void send(Arguments arguments) override {
    if (sent_.test_and_set()) return;
    set_arguments(answer_, std::move(arguments));
    cluster_->publish(std::move(answer_));
  }
  void send_raw(std::string_view json_arguments) override {
    if (sent_.test_and_set()) return;
    answer_.json_arguments = json_arguments;
    cluster_->publish(std::move(answer_));
  }

 private:
  std::shared_ptr<Cluster> cluster_;
  ClusterMessage answer_;
  std::atomic_flag sent_;
};

}  // namespace

Cluster::Cluster(std::shared_ptr<Core> core, std::shared_ptr<Adapter> adapter)
    : core_(std::move(core)), adapter_(std::move(adapter)) {}

void Cluster::start(FindNamespace find) {
  find_ = std::move(find);
  adapter_->start(core_->node_id, [weak = weak_from_this()](ClusterMessage message) {
    if (const auto self = weak.lock()) self->receive(std::move(message));
  });
}

void Cluster::stop() { adapter_->stop(); }

void Cluster::publish(ClusterMessage message) {
  message.sender = core_->node_id;
  adapter_->publish(std::move(message));
}

void Cluster::add_request(std::uint64_t request, std::shared_ptr<Gather<Arguments>> gather) {
  const std::lock_guard lock(mutex_);
  requests_[request].replies = std::move(gather);
}

void Cluster::add_request(std::uint64_t request, std::shared_ptr<Gather<SocketDetails>> gather) {
  const std::lock_guard lock(mutex_);
  requests_[request].sockets = std::move(gather);
}

void Cluster::end_request(std::uint64_t request) {
  const std::lock_guard lock(mutex_);
  requests_.erase(request);
}

Cluster::Pending Cluster::find_request(std::uint64_t request) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(request);
  return found == requests_.end() ? Pending{} : found->second;
}

ClusterMessage Cluster::answer_to(const ClusterMessage& question, ClusterMessage::Type type) const {
  ClusterMessage answer;
  answer.type = type;
  answer.receiver = question.sender;
  answer.nsp = question.nsp;
  answer.request = question.request;
  return answer;
}

void Cluster::receive(ClusterMessage message) {
  using Type = ClusterMessage::Type;
  if (message.sender == core_->node_id || core_->closed) return;
  switch (message.type) {
    case Type::client_count:
    case Type::client_ack:
    case Type::fetched_sockets:
    case Type::server_side_reply: return on_answer(std::move(message));
    default: break;
  }
  const auto nsp = find_(message.nsp);
  if (nsp == nullptr) {
    // Nobody here: say so, that the asker need not wait.
    if (message.type == Type::broadcast_with_ack) publish(answer_to(message, Type::client_count));
    if (message.type == Type::fetch_sockets) publish(answer_to(message, Type::fetched_sockets));
    return;
  }
  switch (message.type) {
    case Type::broadcast:
      return nsp->broadcast_here(std::move(message.target), message.is_volatile, message.compress, message.event,
                                 Content(std::move(message.json_arguments), std::move(message.attachments)), nullptr, 0);
    case Type::broadcast_with_ack: return on_broadcast_with_ack(*nsp, std::move(message));
    case Type::sockets_join: return nsp->join_here(std::move(message.target), std::move(message.rooms));
    case Type::sockets_leave: return nsp->leave_here(std::move(message.target), std::move(message.rooms));
    case Type::disconnect_sockets: return nsp->disconnect_here(std::move(message.target), message.close);
    case Type::fetch_sockets: {
      auto answer = [self = shared_from_this(),
                     answer = answer_to(message, Type::fetched_sockets)](Gather<SocketDetails>::Result result) mutable {
        answer.sockets = std::move(result.items);
        self->publish(std::move(answer));
      };
      return nsp->fetch_here(std::move(message.target),
                             std::make_shared<Gather<SocketDetails>>(core_->shards.size(), std::move(answer)));
    }
    case Type::server_side_emit: {
      Ack ack;
      if (message.request != 0) {
        ack = Ack(std::make_shared<ServerAck>(shared_from_this(), answer_to(message, Type::server_side_reply)));
      }
      return nsp->on_server_event(message.event, arguments_of(message), std::move(ack));
    }
    default: return;
  }
}

void Cluster::on_answer(ClusterMessage message) {
  using Type = ClusterMessage::Type;
  const Pending pending = find_request(message.request);
  if (message.type == Type::fetched_sockets) {
    if (pending.sockets != nullptr) pending.sockets->give_all(std::move(message.sockets));
    return;
  }
  if (pending.replies == nullptr) return;
  if (message.type == Type::client_count) {
    pending.replies->announce(message.count);
  } else if (message.type == Type::client_ack && message.lost) {
    pending.replies->lose();
  } else if (message.type == Type::client_ack) {
    pending.replies->give(arguments_of(message));
  } else {
    // A server answers once.
    std::vector<Arguments> reply(1);
    reply.front() = arguments_of(message);
    pending.replies->give_all(std::move(reply));
  }
}

void Cluster::on_broadcast_with_ack(NamespaceImpl& nsp, ClusterMessage message) {
  auto collector = std::make_shared<RemoteCollector>(shared_from_this(), core_->shards.size(),
                                                     answer_to(message, ClusterMessage::Type::client_ack));
  const std::uint64_t ack_id = nsp.next_broadcast_ack_id();
  core_->start_deadline(core_->new_deadline(), message.timeout, [weak = nsp.weak_from_this(), ack_id] {
    if (const auto held = weak.lock()) held->forget_broadcast(ack_id);
  });
  nsp.broadcast_here(std::move(message.target), message.is_volatile, message.compress, message.event,
                     Content(std::move(message.json_arguments), std::move(message.attachments)), std::move(collector), ack_id);
}

}  // namespace payam::sio::detail
