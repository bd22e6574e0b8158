#include "engineio/server/home.hpp"

#include <vector>

#include "engineio/server/live_session.hpp"

namespace payam::eio {

void Census::add() {
  const std::lock_guard lock(mutex_);
  ++alive_;
}

void Census::remove() {
  const std::lock_guard lock(mutex_);
  if (--alive_ == 0) none_.notify_all();
}

bool Census::wait_for_none(Millis limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [this] { return alive_ == 0; });
}

Common::Common(Options its_options, Server::OnSession its_on_session)
    : options(std::move(its_options)),
      times{.ping_interval = options.ping_interval,
            .ping_timeout = options.ping_timeout,
            .upgrade_timeout = options.upgrade_timeout},
      on_session(std::move(its_on_session)),
      polling_sessions(options.polling_sessions),
      incoming(options.incoming),
      outgoing(options.outgoing) {}

Home::Home(Shard& shard, std::size_t index, std::shared_ptr<Common> common)
    : shard_(shard), index_(index), common_(std::move(common)) {}

Home::~Home() = default;

std::string_view Home::id_of(const std::shared_ptr<LiveSession>& session) { return session->id(); }

std::shared_ptr<LiveSession> Home::admit(SessionKind kind, Handshake handshake) {
  auto session = std::make_shared<LiveSession>(shared_from_this(), kind, std::move(handshake));
  sessions_.insert(session);
  bump(opened_);
  census().add();
  return session;
}

std::shared_ptr<LiveSession> Home::open_polling(Handshake handshake, SessionKind kind, Budget::Held place) {
  auto session = admit(kind, std::move(handshake));
  session->keep_place(std::move(place));
  session->start();
  return session;
}

void Home::open_websocket(Handshake handshake, NewWebsocket accepted) {
  if (is_stopping()) return turn_away(std::move(accepted));
  const auto session = admit({.transport = Transport::websocket, .protocol = accepted.terms.protocol}, std::move(handshake));
  session->attach(std::move(accepted.stream), accepted.terms);
  session->start();
  session->begin_reading(std::move(accepted.early));
}

void Home::offer_websocket(const std::string& session_id, NewWebsocket accepted) {
  const auto session = find(session_id);
  if (!session || !session->may_upgrade()) return turn_away(std::move(accepted));
  session->offer(std::move(accepted));
}

void Home::turn_away(NewWebsocket accepted) {
  auto connection =
      std::make_unique<WebsocketConnection>(*this, std::move(accepted.stream), accepted.terms, options().max_payload, nullptr);
  WebsocketConnection& kept = *connection;
  WebsocketConnection::leave(std::move(connection), WebsocketConnection::Queued::drop, websocket::CloseCode::no_status);
  kept.start({});
}

std::shared_ptr<LiveSession> Home::find(std::string_view session_id) const {
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? nullptr : *found;
}

void Home::forget(const LiveSession& session) {
  if (sessions_.erase(std::string_view(session.id())) > 0) bump(closed_);
}

void Home::keep(std::unique_ptr<WebsocketConnection> connection) {
  const WebsocketConnection* const key = connection.get();
  ending_.emplace(key, std::move(connection));
}

// Later: the connection may be in the middle of one of its own functions.
void Home::discard(WebsocketConnection& connection) {
  if (auto node = ending_.extract(&connection); !node.empty()) {
    shard_.post([home = shared_from_this(), dying = std::move(node.mapped())]() mutable { dying.reset(); });
  }
}

void Home::end_all(CloseReason reason) {
  const std::vector<std::shared_ptr<LiveSession>> all(sessions_.begin(), sessions_.end());
  for (const auto& session : all) session->terminate(reason);
}

void Home::cut_off() {
  end_all(CloseReason::server_shutdown);
  while (!ending_.empty()) ending_.begin()->second->abandon();
}

void Home::drop_all() {
  for (const auto& session : sessions_) session->drop();
  sessions_.clear();
  ending_.clear();
}

websocket::Deflater& Home::deflater() {
  if (!deflater_) deflater_ = std::make_unique<websocket::Deflater>();
  return *deflater_;
}

websocket::Inflater& Home::inflater() {
  if (!inflater_) inflater_ = std::make_unique<websocket::Inflater>();
  return *inflater_;
}

void Home::count_end(Transport transport, CloseReason reason) {
  if (transport == Transport::websocket) bump(websockets_closed_);
  if (reason == CloseReason::buffer_overflow) bump(overflows_);
}

void Home::count_queued(std::ptrdiff_t bytes) {
  queued_.store(queued_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

void Home::add_to(Counters& counters) const {
  // In this order: a session may be opened and closed in between, never closed before it was opened.
  const auto closed = closed_.load(std::memory_order_acquire);
  const auto opened = opened_.load(std::memory_order_relaxed);
  const auto websockets_closed = websockets_closed_.load(std::memory_order_acquire);
  counters.websockets_open += websockets_opened_.load(std::memory_order_relaxed) - websockets_closed;
  counters.overflows += overflows_.load(std::memory_order_relaxed);
  counters.sessions_opened += opened;
  counters.sessions_open += opened - closed;
  counters.upgrades += upgrades_.load(std::memory_order_relaxed);
  counters.packets_sent += sent_.load(std::memory_order_relaxed);
  counters.packets_received += received_.load(std::memory_order_relaxed);
  counters.writes += writes_.load(std::memory_order_relaxed);
  counters.bytes_queued += static_cast<std::uint64_t>(queued_.load(std::memory_order_relaxed));
}

}  // namespace payam::eio
