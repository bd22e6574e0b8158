#include "socketio/server/socket_impl.hpp"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "base/prefetch.hpp"
#include "base/random.hpp"

namespace payam::sio::detail {
namespace {

// The client may come back from these; a disconnection that somebody wanted is final.
bool is_recoverable(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::transport_close:
    case DisconnectReason::transport_error:
    case DisconnectReason::ping_timeout:
    case DisconnectReason::forced_close:
    case DisconnectReason::buffer_overflow:
    case DisconnectReason::forced_server_close: return true;
    default: return false;
  }
}

}  // namespace

struct SocketImpl::PendingAck {
  PendingAck(SocketImpl& its_socket, std::uint64_t its_id, Completion<Reply> its_done)
      : socket(its_socket), id(its_id), done(std::move(its_done)) {}

  void on_timeout() {
    const auto self = std::move(socket.acks_->by_id.extract(id).mapped());
    socket.part.state.counts.acks_timed_out += 1;
    AckError error{AckError::Kind::timed_out, ""};
    done(std::unexpected(std::move(error)));
  }

  SocketImpl& socket;
  std::uint64_t id;
  Completion<Reply> done;
  MemberTimer<&PendingAck::on_timeout> timer{*this};
};

// The library's side and the application's.
struct SocketImpl::Whole final : Socket {
  template <class... Args>
  explicit Whole(Args&&... args) : Socket(impl), impl(*this, std::forward<Args>(args)...) {}

  SocketImpl impl;
};

SocketImpl::SocketImpl(Socket& socket, std::shared_ptr<Connection> its_connection,
                       std::shared_ptr<const NamespaceHandlers> its_handlers, json::object auth, Occupancy occupancy)
    : session_(*its_connection->session),
      nsp(occupancy.release()),
      part(nsp->part(its_connection->state.index)),
      connection(std::move(its_connection)),
      handlers(std::move(its_handlers)),
      handshake(connection->session, std::move(auth)),
      socket_(socket) {}

SocketImpl::~SocketImpl() {
  part.index.remove(*this);
  vacate();
}

SocketPtr SocketImpl::make(std::shared_ptr<Connection> connection, std::shared_ptr<const NamespaceHandlers> handlers,
                           json::object auth, Occupancy occupancy) {
  return std::make_shared<Whole>(std::move(connection), std::move(handlers), std::move(auth), std::move(occupancy));
}

Occupancy SocketImpl::release_occupancy() {
  occupies_ = false;
  return Occupancy(nsp);
}

void SocketImpl::vacate() {
  if (std::exchange(occupies_, false)) nsp->vacate();
}

void SocketImpl::enter(std::string id) { part.index.add(*this, std::move(id)); }

void SocketImpl::take_over(const std::string& pid, std::optional<std::uint64_t> client_offset) {
  return_ = std::make_unique<Return>(client_offset);
  recovery_ = part.take(pid, this);
  recovered = true;
}

void SocketImpl::collect(const NamespacePart::Claim& claim, std::optional<std::uint64_t> client_offset) {
  enter(claim.id);
  for (const std::string& room : claim.rooms) part.index.join(*this, room);
  if (std::ranges::find(claim.rooms, claim.id) == claim.rooms.end()) part.index.leave(*this, claim.id);
  return_ = std::make_unique<Return>(client_offset, std::make_unique<MissedPackets>(part.core.missed_limits));
}

bool SocketImpl::finish_collecting(std::unique_ptr<Session> session) {
  if (session == nullptr) return false;
  recovery_ = std::move(session);
  recovery_->missed.merge(*return_->collected);
  return_->collected.reset();
  nsp->set_home(recovery_->pid, part.state.index);
  recovered = true;
  return true;
}

void SocketImpl::make_recoverable() {
  recovery_ = std::make_unique<Session>(part.core.missed_limits);
  recovery_->pid = random_token(15);
}

bool SocketImpl::connect() {
  assert(state_ == State::pending);
  std::vector<MissedPackets::Entry> missed;
  if (recovered) {
    auto entries = recovery_->missed.after(std::exchange(return_, nullptr)->client_offset);
    if (!entries) return false;  // more was sent meanwhile than is kept
    missed = *std::move(entries);
  }
  state_ = State::connected;
  part.state.counts.sockets += 1;
  part.state.counts.sockets_connected += 1;
  if (recovered) part.state.counts.sockets_recovered += 1;
  nsp->connected.fetch_add(1, std::memory_order_relaxed);
  if (recovery_ != nullptr) {
    part.recoverable.emplace(recovery_->pid, this);
    if (!recovered) nsp->set_home(recovery_->pid, part.state.index);
  }
  for (const MissedPackets::Entry& entry : missed) send(*entry.parts, {});
  if (connection->is_version_3()) {
    send(part.core.encoder.connect(nsp->name), {});
  } else {
    send(part.core.encoder.connect(nsp->name, id(), recovery_ != nullptr ? std::string_view(recovery_->pid) : ""), {});
  }
  return true;
}

void SocketImpl::abandon(bool refused) {
  assert(state_ == State::pending);
  state_ = State::closed;
  if (recovered && refused) nsp->forget_home(recovery_->pid);
  leave_index(recovered && !refused);
  own_.reset();
  vacate();
}

// Out of all rooms; or the kept state takes its place in them.
void SocketImpl::leave_index(bool keep_state) {
  if (recovery_ == nullptr) {
    part.index.remove(*this);
  } else if (keep_state && part.can_keep()) {
    part.keep(*this, std::move(recovery_), data, release_occupancy());
  } else {
    part.recoverable.erase(recovery_->pid);
    nsp->forget_home(recovery_->pid);
    part.index.remove(*this);
  }
}

bool SocketImpl::send(const PacketParts& parts, const Flags& flags) {
  const eio::Session::SendOptions options{flags.is_volatile, flags.compress};
  const bool sent = session_.send(std::span(parts.data(), parts.size()), options);
  if (sent) {
    part.state.counts.deliveries += 1;
  } else if (flags.is_volatile) {
    part.state.counts.volatile_dropped += 1;
  }
  return sent;
}

void SocketImpl::emit(std::string_view event, Content content, const Flags& flags) {
  if (is_reserved_event(event)) throw std::invalid_argument("\"" + std::string(event) + "\" is a reserved event name");
  if (!is_connected()) return;
  if (recovery_ != nullptr && !flags.is_volatile) {
    const std::uint64_t offset = nsp->next_offset();
    auto parts = std::make_shared<const PacketParts>(
        part.core.encoder.event(nsp->name, event, content, std::nullopt, offset_text(offset)));
    recovery_->missed.push(offset, parts, part.state.shard.now());
    send(*parts, flags);
  } else {
    send(part.core.encoder.event(nsp->name, event, content), flags);
  }
  notify_outgoing(event, content);
}

void SocketImpl::emit_with_ack(std::string_view event, Content content, const Flags& flags, Completion<Reply> done) {
  if (!is_connected() || is_reserved_event(event)) {
    AckError error = is_connected() ? AckError{AckError::Kind::invalid, "a reserved event name"}
                                    : AckError{AckError::Kind::disconnected, ""};
    return done(std::unexpected(std::move(error)));
  }
  if (acks_ == nullptr) acks_ = std::make_unique<PendingAcks>();
  const std::uint64_t id = acks_->next_id++ % kFirstBroadcastAckId;
  auto pending = std::make_unique<PendingAck>(*this, id, std::move(done));
  part.state.shard.start_timer(pending->timer, flags.timeout.value_or(part.core.options.ack_timeout));
  acks_->by_id.insert_or_assign(id, std::move(pending));
  send(part.core.encoder.event(nsp->name, event, content, id), flags);
  notify_outgoing(event, content);
}

void SocketImpl::send_ack(std::uint64_t id, Content content) {
  if (is_connected()) send(part.core.encoder.ack(nsp->name, id, content), {});
}

void SocketImpl::send_ack(std::uint64_t id, const json::value& argument) {
  if (is_connected()) send(part.core.encoder.ack(nsp->name, id, argument), {});
}

void SocketImpl::on_ack(std::uint64_t id, Arguments arguments) {
  if (id >= kFirstBroadcastAckId) return part.on_broadcast_ack(*this, id, std::move(arguments));
  if (acks_ == nullptr) return;
  auto found = acks_->by_id.extract(id);
  if (!found.empty()) found.mapped()->done(std::move(arguments));
}

void SocketImpl::fail_acks() {
  const auto acks = std::exchange(acks_, nullptr);
  if (acks == nullptr) return;
  for (auto& [id, pending] : acks->by_id) {
    AckError error{AckError::Kind::disconnected, ""};
    pending->done(std::unexpected(std::move(error)));
  }
}

// First the session, then what the session leads to.
void SocketImpl::fetch(int step) const {
  if (step == 1) return session_.fetch();
  prefetch(&session_, 128);
}

void SocketImpl::deliver(Delivery& delivery) {
  const Broadcast& broadcast = delivery.broadcast;
  MissedPackets* const collected = return_ != nullptr ? return_->collected.get() : nullptr;
  const bool kept = broadcast.offset != 0 && (recovery_ != nullptr || collected != nullptr);
  if (state_ == State::pending) {
    // On its way in: only a recovered socket may miss nothing.
    if (!kept) return;
    if (MissedPackets* missed = collected != nullptr ? collected : recovered ? &recovery_->missed : nullptr) {
      missed->push(broadcast.offset, delivery.parts_with_offset(), part.state.shard.now());
    }
    return;
  }
  if (!is_connected()) return;
  const PacketParts* parts = &broadcast.parts;
  if (kept) {
    const auto& with_offset = delivery.parts_with_offset();
    recovery_->missed.push(broadcast.offset, with_offset, part.state.shard.now());
    parts = with_offset.get();
  }
  if (broadcast.ack_id) delivery.received.push_back(this);
  send(*parts, {broadcast.is_volatile, broadcast.compress, false, std::nullopt});
  if (own_ != nullptr && !own_->any_outgoing.empty()) delivery.listening.push_back(self());
}

void SocketImpl::notify_outgoing(std::string_view event, Content& content) {
  if (own_ == nullptr || own_->any_outgoing.empty()) return;
  const auto listeners = own_->any_outgoing.get();
  const std::string_view text = part.core.options.parser == Parser::json ? std::string_view(content.json()) : "";
  for (const auto& [id, listener] : *listeners) {
    try {
      listener(event, text);
    } catch (...) {
      part.core.report("outgoing listener", std::current_exception());
    }
  }
}

void SocketImpl::disconnect(bool close_connection) {
  if (state_ != State::connected) return;
  if (close_connection) {
    connection->close(DisconnectReason::server_namespace_disconnect);
  } else {
    send(part.core.encoder.disconnect(nsp->name), {});
    close(DisconnectReason::server_namespace_disconnect);
  }
}

void SocketImpl::fence() {
  const SocketPtr keep = self();
  connection->close(DisconnectReason::forced_close);
}

void SocketImpl::close(DisconnectReason reason) {
  if (state_ != State::connected) return;
  const SocketPtr keep = self();
  const auto call = [&](const auto& listener, const auto&... arguments) {
    try {
      listener(arguments...);
    } catch (...) {
      part.core.report("disconnect listener", std::current_exception());
    }
  };
  state_ = State::closing;
  for (const auto& listener : handlers->disconnecting) call(listener, keep, reason);
  if (own_ != nullptr && !own_->disconnecting.empty()) {
    const auto listeners = own_->disconnecting.get();
    for (const auto& listener : *listeners) call(listener, reason);
  }

  state_ = State::closed;
  connection->remove(*this);
  leave_index(is_recoverable(reason));
  part.forget_socket(*this);
  part.state.counts.sockets -= 1;
  nsp->connected.fetch_sub(1, std::memory_order_relaxed);
  fail_acks();

  const auto own = std::exchange(own_, nullptr);  // handlers that hold this socket go with it
  for (const auto& listener : handlers->disconnect) call(listener, keep, reason);
  if (own != nullptr && !own->disconnect.empty()) {
    const auto listeners = own->disconnect.get();
    for (const auto& listener : *listeners) call(listener, reason);
  }
  vacate();
}

SocketHandlers* SocketImpl::make_own_handlers() {
  if (state_ == State::closed) return nullptr;
  if (own_ == nullptr) own_ = std::make_unique<SocketHandlers>();
  return own_.get();
}

}  // namespace payam::sio::detail
