#include "socketio/server/connection.hpp"

#include <algorithm>
#include <utility>

#include "base/network.hpp"
#include "base/random.hpp"
#include "http/message.hpp"
#include "socketio/json_text.hpp"
#include "socketio/server/server_impl.hpp"
#include "socketio/server/socket_impl.hpp"

namespace payam::sio::detail {
namespace {

DisconnectReason reason_of(eio::CloseReason reason) {
  switch (reason) {
    case eio::CloseReason::transport_close: return DisconnectReason::transport_close;
    case eio::CloseReason::transport_error: return DisconnectReason::transport_error;
    case eio::CloseReason::ping_timeout: return DisconnectReason::ping_timeout;
    case eio::CloseReason::forced_close: return DisconnectReason::forced_close;
    case eio::CloseReason::parse_error: return DisconnectReason::parse_error;
    case eio::CloseReason::buffer_overflow: return DisconnectReason::buffer_overflow;
    case eio::CloseReason::server_shutdown: return DisconnectReason::server_shutting_down;
  }
  return DisconnectReason::forced_close;
}

// Cuts `/admin?token=x` into the namespace and {"token":"x"}; nullopt: too many members.
std::optional<json::object> take_query(std::string& nsp, std::size_t max_members) {
  json::object auth;
  const std::size_t mark = nsp.find('?');
  if (mark == std::string::npos) return auth;
  const auto query = http::Query::parse(std::string_view(nsp).substr(mark + 1));
  nsp.resize(mark);
  if (query.all().size() > max_members) return std::nullopt;
  for (const auto& [name, value] : query.all()) auth[name] = value;
  return auth;
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerImpl> its_server, std::shared_ptr<eio::Session> its_session)
    : server(std::move(its_server)), session(std::move(its_session)), state(server->core->state_of(session->shard())) {
  state.counts.connections += 1;
  state.counts.connections_opened += 1;
  entrance_ = std::make_unique<Entrance>(*this);
  state.shard.start_timer(entrance_->timer, server->core->options.connect_timeout);
}

Connection::~Connection() = default;

Decoder Connection::new_decoder() const {
  const Options& options = server->core->options;
  return {options.parser, {.attachments = options.max_attachments, .object_members = options.max_object_members}};
}

void Connection::on_text(std::string_view data) {
  if (closed_) return;
  Packet packet;
  if (incomplete_ != nullptr) return on_outcome(incomplete_->decoder.text(data, packet), packet);
  Decoder decoder = new_decoder();
  const auto outcome = decoder.text(data, packet);
  if (outcome == Decoder::Outcome::incomplete) return wait_for_attachments(std::move(decoder));
  on_outcome(outcome, packet);
}

void Connection::on_binary(std::string_view data) {
  if (closed_) return;
  Packet packet;
  if (incomplete_ == nullptr) return on_outcome(new_decoder().binary(data, packet), packet);
  const auto outcome = incomplete_->decoder.binary(data, packet);
  if (outcome == Decoder::Outcome::incomplete) return hold_attachments();
  incomplete_.reset();
  on_outcome(outcome, packet);
}

void Connection::wait_for_attachments(Decoder decoder) {
  // It could only close the connection, once it is whole.
  if (sockets_.empty()) {
    state.counts.packets_invalid += 1;
    return close(DisconnectReason::forced_server_close);
  }
  incomplete_ = std::make_unique<Incomplete>(*this, std::move(decoder));
  hold_attachments();
}

void Connection::hold_attachments() {
  const auto caller = [this] { return Caller{network_of(std::string(session->handshake().request.address()))}; };
  if (incomplete_->held.set(server->core->attachment_bytes, incomplete_->decoder.held_bytes(), caller)) {
    return close(DisconnectReason::forced_server_close);
  }
  state.shard.start_timer(incomplete_->timer, server->core->options.attachment_timeout);
}

void Connection::on_attachment_timeout() {
  const auto keep = shared_from_this();
  state.counts.attachments_timed_out += 1;
  close(DisconnectReason::forced_server_close);
}

void Connection::on_outcome(Decoder::Outcome outcome, Packet& packet) {
  if (outcome == Decoder::Outcome::packet) {
    on_packet(packet);
  } else if (outcome == Decoder::Outcome::invalid) {
    state.counts.packets_invalid += 1;
    close(DisconnectReason::parse_error);
  }
}

void Connection::on_packet(Packet& packet) {
  if (packet.type == PacketType::connect) return on_connect(packet);
  const SocketPtr socket = find(packet.nsp);
  if (socket == nullptr || packet.type == PacketType::connect_error) {
    state.counts.packets_invalid += 1;
    return close(DisconnectReason::forced_server_close);
  }
  switch (packet.type) {
    case PacketType::event: return socket->impl().on_event(socket, packet);
    case PacketType::ack:
      if (packet.id && packet.fault.empty()) socket->impl().on_ack(*packet.id, std::move(packet.arguments));
      return;
    default: return socket->impl().close(DisconnectReason::client_namespace_disconnect);
  }
}

void Connection::join_main() { begin_connect("/", {}); }

// A token bucket: each namespace pays for an interval, and who has paid too far ahead has to wait.
bool Connection::may_ask_for_namespace() {
  const Options& options = server->core->options;
  const SteadyTime now = state.shard.now();
  const Millis ahead = options.connect_interval * static_cast<Millis::rep>(options.max_connects_at_once);
  connects_paid_until_ = std::max(connects_paid_until_, now) + options.connect_interval;
  return connects_paid_until_ <= now + ahead;
}

void Connection::on_connect(Packet& packet) {
  if (!may_ask_for_namespace()) {
    state.counts.connections_insistent += 1;
    return close(DisconnectReason::forced_server_close);
  }
  json::object auth;
  if (is_version_3()) {
    auto query = take_query(packet.nsp, server->core->options.max_object_members);
    if (!query) packet.fault = to_string(JsonStatus::too_many_members);
    auth = std::move(query).value_or(json::object());
  } else if (packet.payload.is_object()) {
    auth = std::move(packet.payload.get_object());
  }
  if (find(packet.nsp) != nullptr || is_entering(packet.nsp)) {  // a second one
    state.counts.packets_invalid += 1;
    return close(DisconnectReason::forced_server_close);
  }
  if (!packet.fault.empty()) return reject(packet.nsp, "Invalid payload", nullptr);
  const std::size_t entering = entrance_ != nullptr ? entrance_->namespaces.size() : 0;
  if (sockets_.size() + entering >= server->core->options.max_namespaces)
    return reject(packet.nsp, "Too many namespaces", nullptr);
  begin_connect(std::move(packet.nsp), std::move(auth));
}

void Connection::begin_connect(std::string nsp, json::object auth) {
  if (server->core->closed) return;
  if (entrance_ == nullptr) entrance_ = std::make_unique<Entrance>(*this);
  entrance_->namespaces.push_back(nsp);
  server->core->spawn(state.shard, connect(shared_from_this(), std::move(nsp), std::move(auth)),
                      [core = server->core](const std::exception_ptr& error) {
                        if (error) core->report("connection", error);
                      });
}

void Connection::on_connect_timeout() {
  const auto keep = shared_from_this();
  close(DisconnectReason::forced_server_close);
}

void Connection::on_close(eio::CloseReason reason) {
  // A full queue is found out in the middle of a broadcast, which walks the rooms this would change.
  if (state.delivering) {
    state.after_delivery.emplace_back([self = shared_from_this(), reason] { self->on_close(reason); });
    return;
  }
  closed_ = true;
  entrance_.reset();
  incomplete_.reset();
  close_sockets(reason_of(reason));
  state.counts.connections -= 1;
}

void Connection::close(DisconnectReason reason) {
  if (closed_) return;
  const auto keep = shared_from_this();
  closed_ = true;
  entrance_.reset();
  incomplete_.reset();
  if (reason == DisconnectReason::server_namespace_disconnect) {
    for (const SocketPtr& socket : sockets_) {
      const PacketParts parts = server->core->encoder.disconnect(socket->impl().nsp->name);
      session->send(std::span(parts.data(), parts.size()), {});
    }
  }
  close_sockets(reason);
  session->close();
}

void Connection::close_sockets(DisconnectReason reason) {
  const std::vector<SocketPtr> sockets(sockets_.begin(), sockets_.end());
  for (const SocketPtr& socket : sockets) socket->impl().close(reason);
}

void Connection::remove(SocketImpl& socket) {
  const auto found = std::ranges::find_if(sockets_, [&](const SocketPtr& each) { return &each->impl() == &socket; });
  if (found != sockets_.end()) sockets_.erase(found);
}

bool Connection::begin_handler() {
  if (running_handlers_ >= server->core->options.max_running_handlers) return false;
  ++running_handlers_;
  return true;
}

void Connection::close_overloaded() {
  if (closed_) return;
  state.counts.connections_overloaded += 1;
  close(DisconnectReason::server_namespace_disconnect);
}

SocketPtr Connection::find(std::string_view nsp) const {
  for (const SocketPtr& socket : sockets_) {
    if (socket->impl().nsp->name == nsp) return socket;
  }
  return nullptr;
}

bool Connection::is_entering(std::string_view nsp) const {
  return entrance_ != nullptr && std::ranges::find(entrance_->namespaces, nsp) != entrance_->namespaces.end();
}

// One way or the other.
void Connection::entered(std::string_view nsp) {
  if (entrance_ == nullptr) return;
  std::erase(entrance_->namespaces, nsp);
  if (entrance_->namespaces.empty() && !entrance_->timer.pending()) entrance_.reset();
}

void Connection::reject(std::string_view nsp, std::string_view message, const json::value& data) {
  state.counts.sockets_refused += 1;
  if (closed_) return;
  const PacketParts parts = server->core->encoder.connect_error(nsp, message, data);
  session->send(std::span(parts.data(), parts.size()), {});
}

void Connection::refuse(std::string_view nsp, const Refusal& refusal) {
  if (!is_version_3()) return reject(nsp, refusal.message, refusal.data);
  state.counts.sockets_refused += 1;
  if (closed_) return;
  const PacketParts parts =
      server->core->encoder.error(nsp, refusal.data.is_null() ? json::value(refusal.message) : refusal.data);
  session->send(std::span(parts.data(), parts.size()), {});
}

std::string Connection::new_socket_id(const std::string& nsp) const {
  if (!is_version_3()) return random_token(15);
  return nsp == "/" ? session->id() : nsp + "#" + session->id();
}

Task<> Connection::connect(std::shared_ptr<Connection> self, std::string nsp_name, json::object auth) {
  std::shared_ptr<NamespaceImpl> nsp = server->enter(nsp_name);
  if (nsp == nullptr) nsp = co_await server->enter_child(nsp_name, auth);
  if (nsp == nullptr || closed_) {
    if (nsp != nullptr) nsp->vacate();
    entered(nsp_name);
    reject(nsp_name, "Invalid namespace", nullptr);
    co_return;
  }
  std::optional<Occupancy> occupancy(nsp);
  const auto& recovery = server->core->options.connection_state_recovery;
  const bool may_recover = recovery && !is_version_3();

  SocketPtr socket;
  if (may_recover) socket = co_await restore(nsp, auth, occupancy);
  if (socket == nullptr) {
    socket = SocketImpl::make(self, nsp->handlers(), std::move(auth), *std::exchange(occupancy, std::nullopt));
    socket->impl().enter(new_socket_id(nsp_name));
    if (may_recover && wants_recovery(socket->handshake())) socket->impl().make_recoverable();
  }
  SocketImpl& impl = socket->impl();
  Verdict refusal;
  if (!impl.recovered || !recovery->skip_middlewares) refusal = co_await ask_middleware(socket);

  if (closed_) {
    impl.abandon(false);
  } else if (refusal) {
    entered(nsp_name);
    impl.abandon(true);
    refuse(nsp_name, *refusal);
  } else {
    entrance_->timer.cancel();
    entered(nsp_name);
    sockets_.push_back(socket);
    session->admit();
    if (!impl.connect()) {
      remove(impl);
      impl.abandon(true);
      close(DisconnectReason::forced_server_close);
      co_return;
    }
    // The handlers may end the socket at any point.
    for (const auto& handler : impl.handlers->connection) {
      if (!impl.is_connected()) break;
      try {
        if (Task<> task = handler(socket); task.valid()) {
          impl.spawn("connection handler", std::move(task), impl.handlers, "", Ack());
        }
      } catch (...) {
        server->core->report("connection handler", std::current_exception());
      }
    }
  }
}

bool Connection::wants_recovery(const Handshake& handshake) const {
  const auto& recovery = *server->core->options.connection_state_recovery;
  try {
    return !recovery.wanted || recovery.wanted(handshake);
  } catch (...) {
    server->core->report("connection state recovery", std::current_exception());
    return false;
  }
}

Task<Verdict> Connection::ask_middleware(SocketPtr socket) {
  const auto handlers = socket->impl().handlers;
  for (const auto& middleware : handlers->middleware) {
    try {
      auto result = middleware(socket);
      Verdict verdict;
      if (auto* task = std::get_if<Task<Verdict>>(&result)) {
        verdict = co_await std::move(*task);
      } else {
        verdict = std::get<Verdict>(std::move(result));
      }
      if (verdict) co_return verdict;
    } catch (...) {
      server->core->report("connection middleware", std::current_exception());
      co_return Refusal{"Internal server error", nullptr};
    }
    if (closed_) break;
  }
  co_return std::nullopt;
}

// The socket of a client that shows a pid and is let have its old state; null: it starts anew. Uses up `occupancy` and `auth`
// only in the first case.
Task<SocketPtr> Connection::restore(std::shared_ptr<NamespaceImpl> nsp, json::object& auth,
                                    std::optional<Occupancy>& occupancy) {
  const json::value* pid_value = auth.if_contains("pid");
  if (pid_value == nullptr || !pid_value->is_string()) co_return nullptr;
  const std::string pid(pid_value->get_string());
  std::optional<std::uint64_t> offset;
  if (const json::value* value = auth.if_contains("offset"); value != nullptr && !value->is_null()) {
    if (value->is_string()) offset = parse_offset(value->get_string());
    if (!offset) co_return nullptr;
  }
  const auto home = nsp->find_home(pid);
  if (!home) co_return nullptr;
  NamespacePart& there = nsp->part(*home);
  Shard& there_shard = there.state.shard;

  auto ask_claim = [&] { return there.claim(pid, offset); };
  auto claim = co_await run_on<std::optional<NamespacePart::Claim>>(there_shard, std::move(ask_claim));
  if (!claim) co_return nullptr;

  SocketPtr socket = SocketImpl::make(shared_from_this(), nsp->handlers(), auth, *std::exchange(occupancy, std::nullopt));
  SocketImpl& impl = socket->impl();
  impl.data = std::move(claim->data);
  const auto& recovery = *server->core->options.connection_state_recovery;
  bool accepted = !closed_;
  try {
    accepted = accepted && (!recovery.accept || recovery.accept(impl.handshake, impl.data));
  } catch (...) {
    server->core->report("connection state recovery", std::current_exception());
    accepted = false;
  }
  if (!accepted) {
    occupancy = impl.release_occupancy();
    auto give_back = [nsp, &there, pid, data = std::move(impl.data)]() mutable { there.release(pid, std::move(data)); };
    there_shard.post(std::move(give_back));
    co_return nullptr;
  }

  if (&there == &impl.part) {
    impl.take_over(pid, offset);
    co_return socket;
  }
  // First into the rooms here, then out of them there: what is sent meanwhile comes twice and never not at all.
  impl.collect(*claim, offset);
  auto ask_state = [&] { return there.take(pid, nullptr); };
  auto kept = co_await run_on<std::unique_ptr<Session>>(there_shard, std::move(ask_state));
  if (!impl.finish_collecting(std::move(kept))) {
    occupancy = impl.release_occupancy();
    impl.abandon(true);
    co_return nullptr;
  }
  co_return socket;
}

}  // namespace payam::sio::detail
