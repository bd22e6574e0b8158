#include "socketio/server/part.hpp"

#include <algorithm>
#include <cassert>

#include "socketio/server/namespace_impl.hpp"
#include "socketio/server/socket_impl.hpp"

namespace payam::sio::detail {

Occupancy::Occupancy(std::shared_ptr<NamespaceImpl> nsp) : nsp_(std::move(nsp)) {}

Occupancy::~Occupancy() {
  if (nsp_ != nullptr) nsp_->vacate();
}

const std::shared_ptr<const PacketParts>& Delivery::parts_with_offset() {
  if (with_offset_ == nullptr) {
    const std::string offset = offset_text(broadcast.offset);
    with_offset_ = std::make_shared<const PacketParts>(
        part_.core.encoder.event(part_.nsp.name, broadcast.event, broadcast.content, std::nullopt, offset));
  }
  return with_offset_;
}

KeptSession::KeptSession(NamespacePart& its_part, std::unique_ptr<Session> its_session, std::any its_data, Occupancy occupancy)
    : part(its_part), session(std::move(its_session)), data(std::move(its_data)), occupancy_(std::move(occupancy)) {}

KeptSession::~KeptSession() { part.index.remove(*this); }

void KeptSession::deliver(Delivery& delivery) {
  if (delivery.broadcast.offset == 0) return;
  session->missed.push(delivery.broadcast.offset, delivery.parts_with_offset(), part.state.shard.now());
}

void KeptSession::on_expired() {
  // This ends here, and perhaps the namespace with it, which holds the part.
  const auto nsp = part.nsp.shared_from_this();
  nsp->forget_home(session->pid);
  part.state.counts.sessions_kept -= 1;
  const auto self = part.kept_.extract(session->pid);
}

NamespacePart::NamespacePart(NamespaceImpl& its_nsp, Core& its_core, ShardState& its_state)
    : nsp(its_nsp), core(its_core), state(its_state) {}

NamespacePart::~NamespacePart() = default;

void NamespacePart::deliver(const Broadcast& broadcast, std::shared_ptr<AckCollector> collector) {
  assert(!state.delivering);
  Delivery delivery(broadcast, *this);
  state.delivering = true;
  {
    const Shard::Bulk bulk(state.shard, index.most_of(broadcast.target) > Shard::kFlushSlice);
    index.select(
        broadcast.target, [&](RoomIndex::Member& member) { static_cast<Receiver&>(member).deliver(delivery); },
        [](const RoomIndex::Member& member, int step) { static_cast<const Receiver&>(member).fetch(step); });
  }
  state.delivering = false;
  if (collector != nullptr) {
    collector->announce(delivery.received.size());
    if (!delivery.received.empty()) {
      BroadcastAck& entry = broadcast_acks_[*broadcast.ack_id];
      entry.collector = std::move(collector);
      entry.waiting.insert(delivery.received.begin(), delivery.received.end());
    }
  }
  for (auto& work : std::exchange(state.after_delivery, {})) work();
  for (const SocketPtr& socket : delivery.listening) socket->impl().notify_outgoing(broadcast.event, broadcast.content);
}

std::vector<SocketImpl*> NamespacePart::sockets_of(const Target& target) {
  std::vector<SocketImpl*> out;
  index.select(target, [&](RoomIndex::Member& member) {
    SocketImpl* socket = static_cast<Receiver&>(member).socket();
    if (socket != nullptr && socket->is_connected()) out.push_back(socket);
  });
  return out;
}

std::vector<SocketDetails> NamespacePart::details(const Target& target) {
  std::vector<SocketDetails> out;
  for (SocketImpl* socket : sockets_of(target)) {
    SocketDetails& each = out.emplace_back();
    each.id = socket->id();
    each.rooms = index.rooms_of(*socket);
    each.auth = socket->handshake.auth;
    each.address = socket->handshake.address();
    if (core.options.data_to_json) each.data = core.options.data_to_json(socket->data);
  }
  return out;
}

// What is kept joins and leaves as well: who was put out of a room while away must not find it again.
void NamespacePart::join(const Target& target, const std::vector<std::string>& rooms) {
  std::vector<RoomIndex::Member*> members;
  index.select(target, [&](RoomIndex::Member& member) { members.push_back(&member); });
  for (RoomIndex::Member* member : members) {
    for (const std::string& room : rooms) index.join(*member, room);
  }
}

void NamespacePart::leave(const Target& target, const std::vector<std::string>& rooms) {
  std::vector<RoomIndex::Member*> members;
  index.select(target, [&](RoomIndex::Member& member) { members.push_back(&member); });
  for (RoomIndex::Member* member : members) {
    for (const std::string& room : rooms) index.leave(*member, room);
  }
}

void NamespacePart::disconnect(const Target& target, bool close) {
  std::vector<SocketPtr> sockets;  // held, as disconnect handlers may close others
  std::vector<std::string> kept;
  index.select(target, [&](RoomIndex::Member& member) {
    auto& receiver = static_cast<Receiver&>(member);
    if (SocketImpl* socket = receiver.socket()) {
      sockets.push_back(socket->self());
    } else {
      kept.push_back(static_cast<KeptSession&>(receiver).session->pid);
    }
  });
  for (const std::string& pid : kept) {
    if (const auto found = kept_.find(pid); found != kept_.end() && !found->second->claimed) found->second->on_expired();
  }
  for (const SocketPtr& socket : sockets) {
    if (socket != nullptr) socket->disconnect(close);
  }
}

void NamespacePart::on_broadcast_ack(SocketImpl& socket, std::uint64_t id, Arguments reply) {
  const auto found = broadcast_acks_.find(id);
  if (found == broadcast_acks_.end() || found->second.waiting.erase(&socket) == 0) return;
  const auto collector = found->second.collector;
  if (found->second.waiting.empty()) broadcast_acks_.erase(found);
  collector->give(std::move(reply));
}

void NamespacePart::forget_socket(SocketImpl& socket) {
  for (auto entry = broadcast_acks_.begin(); entry != broadcast_acks_.end();) {
    if (entry->second.waiting.erase(&socket) == 0) {
      ++entry;
      continue;
    }
    entry->second.collector->lose();
    entry = entry->second.waiting.empty() ? broadcast_acks_.erase(entry) : std::next(entry);
  }
}

void NamespacePart::keep(SocketImpl& socket, std::unique_ptr<Session> session, std::any data, Occupancy occupancy) {
  const std::string pid = session->pid;
  recoverable.erase(pid);
  auto kept = std::make_unique<KeptSession>(*this, std::move(session), std::move(data), std::move(occupancy));
  index.replace(socket, *kept);
  state.shard.start_timer(kept->expiry, core.options.connection_state_recovery->max_disconnection_duration);
  state.counts.sessions_kept += 1;
  kept_.emplace(pid, std::move(kept));
}

std::optional<NamespacePart::Claim> NamespacePart::claim(const std::string& pid, std::optional<std::uint64_t> offset) {
  if (const auto connected = recoverable.find(pid); connected != recoverable.end()) connected->second->fence();
  const auto found = kept_.find(pid);
  if (found == kept_.end()) return std::nullopt;
  KeptSession& kept = *found->second;
  if (kept.claimed || !kept.session->missed.after(offset)) return std::nullopt;
  kept.claimed = true;
  kept.expiry.cancel();
  return Claim{RoomIndex::id_of(kept), index.rooms_of(kept), std::move(kept.data)};
}

void NamespacePart::release(const std::string& pid, std::any data) {
  const auto found = kept_.find(pid);
  if (found == kept_.end()) return;
  found->second->claimed = false;
  found->second->data = std::move(data);
  state.shard.start_timer(found->second->expiry, core.options.connection_state_recovery->max_disconnection_duration);
}

std::unique_ptr<Session> NamespacePart::take(const std::string& pid, Receiver* successor) {
  auto found = kept_.extract(pid);
  if (found.empty()) return nullptr;
  KeptSession& kept = *found.mapped();
  state.counts.sessions_kept -= 1;
  if (successor != nullptr) {
    index.replace(kept, *successor);
  } else {
    index.remove(kept);
  }
  return std::move(kept.session);
}

bool NamespacePart::can_keep() const {
  return !core.closed && kept_.size() < core.options.connection_state_recovery->max_sessions / core.shards.size();
}

void NamespacePart::drop_kept() {
  while (!kept_.empty()) kept_.begin()->second->on_expired();
}

}  // namespace payam::sio::detail
