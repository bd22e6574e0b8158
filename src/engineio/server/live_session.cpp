#include "engineio/server/live_session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/network.hpp"
#include "engineio/payload_v3.hpp"
#include "engineio/server/replies.hpp"
#include "engineio/server/session_id.hpp"

namespace payam::eio {

namespace {

// "2probe" and "5" are all it may send.
constexpr std::size_t kMaxCandidatePacket = 1'024;

}  // namespace

using Queued = WebsocketConnection::Queued;

struct LiveSession::Polling final : Flushable {
  explicit Polling(LiveSession& its_session) : session(its_session) {}

  void flush() override {
    const auto keep = session.shared_from_this();  // which may let go of this
    keep->machine_.flush();
    keep->count_waiting();
    keep->pay_for_waiting();
  }

  LiveSession& session;
  std::optional<Reply> poll;  // set exactly while the machine has a poll pending
  std::unique_ptr<WebsocketConnection> candidate;
  std::size_t counted = 0;  // of the bytes waiting, to the home's counter
  Budget::Held place;
  HeldBytes queued;  // of Common::outgoing, for the bytes waiting
};

LiveSession::LiveSession(std::shared_ptr<Home> home, SessionKind kind, Handshake handshake)
    : home_(std::move(home)),
      machine_(home_->times(), home_->options().max_buffered_bytes, kind, home_->shard().now(), *this),
      id_(new_session_id(home_->index())),
      handshake_(std::move(handshake)) {
  if (kind.transport == Transport::polling) polling_ = std::make_unique<Polling>(*this);
}

LiveSession::~LiveSession() = default;

void LiveSession::keep_place(Budget::Held place) { polling_->place = std::move(place); }

Caller LiveSession::caller() const { return {network_of(std::string(handshake_.request.address()))}; }

std::size_t LiveSession::max_payload() const {
  const Options& options = home_->options();
  return admitted_ ? options.max_payload : std::min(options.max_payload, options.max_payload_before_admission);
}

void LiveSession::admit() {
  admitted_ = true;
  if (websocket_) websocket_->set_max_message(max_payload());
}

PacketRef LiveSession::open_packet() const {
  const Options& options = home_->options();
  const std::string json = to_json(
      OpenData{.sid = id_,
               .offer_websocket = transport() == Transport::polling && options.allow_websocket && options.allow_upgrades,
               .ping_interval = options.ping_interval,
               .ping_timeout = options.ping_timeout,
               .max_payload = options.max_payload});
  return EncodedPacket::text(PacketType::open, json);
}

http::Response LiveSession::open_response() const {
  const PacketRef packet = open_packet();
  const std::span packets(&packet, 1);
  return poll_response(protocol() == Protocol::v4 ? encode_payload(packets) : encode_payload_v3(packets, BinaryForm::frame));
}

void LiveSession::start() {
  arm();
  guard([this] { handler_ = home_->common().on_session(shared_from_this()); });
}

void LiveSession::attach(std::shared_ptr<Stream> stream, WebsocketTerms terms) {
  WebsocketConnection::Owner* const owner = this;
  websocket_ = std::make_unique<WebsocketConnection>(*home_, std::move(stream), terms, max_payload(), owner);
  home_->count_websocket();
  transmit(open_packet(), true);
}

void LiveSession::begin_reading(std::string early) {
  if (websocket_) websocket_->start(std::move(early));
}

void LiveSession::offer(NewWebsocket accepted) {
  machine_.start_upgrade(home_->shard().now());
  accepted.terms.protocol = protocol();
  WebsocketConnection::Owner* const owner = this;
  polling_->candidate =
      std::make_unique<WebsocketConnection>(*home_, std::move(accepted.stream), accepted.terms, kMaxCandidatePacket, owner);
  arm();
  if (polling_) polling_->candidate->start(std::move(accepted.early));
}

void LiveSession::poll(Reply reply) {
  const bool alone = polling_ && !polling_->poll;
  std::optional<Reply> second;
  (alone ? polling_->poll : second).emplace(std::move(reply));
  const auto admission = machine_.start_poll(home_->shard().now());
  std::optional<Reply> refused;
  if (admission != SessionMachine::Admission::accepted) refused = std::exchange(alone ? polling_->poll : second, std::nullopt);
  arm();
  if (!refused) return;
  const bool unknown = admission == SessionMachine::Admission::refused && machine_.is_closed();
  (*refused)(refusal_response(unknown ? Refusal::unknown_sid : Refusal::bad_request));
}

void LiveSession::abort_poll() { machine_.abort_poll(); }

std::optional<http::Response> LiveSession::start_post(PayloadForm form) {
  switch (machine_.start_post(form)) {
    case SessionMachine::Admission::accepted: return std::nullopt;
    case SessionMachine::Admission::overlap:
    case SessionMachine::Admission::refused: break;
  }
  return refusal_response(Refusal::bad_request);
}

std::optional<http::Response> LiveSession::read_post(PostBody& body) {
  const auto step = machine_.read_post(body, home_->shard().now());
  arm();
  if (step == SessionMachine::PostStep::more) return std::nullopt;
  return step == SessionMachine::PostStep::done ? post_response() : refusal_response(Refusal::bad_request);
}

void LiveSession::refuse_post() { machine_.refuse_post(); }

void LiveSession::abort_post() { machine_.abort_post(); }

void LiveSession::drop() {
  timer_.cancel();
  polling_.reset();
  websocket_.reset();
  handler_.reset();
}

bool LiveSession::send(std::span<const PacketRef> packets, SendOptions options) {
  const bool sent = machine_.send(packets, {.droppable = options.droppable, .compress = options.compress});
  count_waiting();
  if (polling_ && machine_.waiting_bytes() > polling_->queued.covered()) flush_later();
  return sent;
}

void LiveSession::close() {
  machine_.close(home_->shard().now());
  arm();
}

void LiveSession::terminate(CloseReason reason) {
  if (reason == CloseReason::server_shutdown) close_code_ = websocket::CloseCode::going_away;
  machine_.terminate(reason);
}

// The application's code may throw; a session that was told only half is of no use to anyone.
template <class F>
void LiveSession::guard(F call) {
  try {
    call();
  } catch (const std::exception& error) {
    if (home_->options().on_handler_error) home_->options().on_handler_error(error);
    machine_.terminate(CloseReason::transport_error);
  }
}

void LiveSession::deliver(const Packet& packet) {
  guard([&] { packet.binary ? handler_->on_binary(packet.data) : handler_->on_text(packet.data); });
}

void LiveSession::closed(CloseReason reason) {
  count_waiting();
  if (polling_) {
    polling_->place.release();
    polling_->queued.release();
  }
  home_->count_end(transport(), reason);
  timer_.cancel();
  armed_for_ = SteadyTime::max();
  home_->shard().post([self = shared_from_this(), reason] {
    if (self->handler_) self->guard([&] { self->handler_->on_close(reason); });
    self->handler_.reset();
    self->home_->census().remove();
  });
  home_->forget(*this);
}

void LiveSession::answer_poll(Payload payload) {
  Reply reply = *std::exchange(polling_->poll, std::nullopt);
  reply(poll_response(std::move(payload)));
}

void LiveSession::flush_later() { home_->shard().flush_later(*polling_); }

void LiveSession::count_waiting() {
  if (!polling_) return;
  const std::size_t waiting = machine_.waiting_bytes();
  if (waiting != polling_->counted) {
    home_->count_queued(static_cast<std::ptrdiff_t>(waiting) - static_cast<std::ptrdiff_t>(polling_->counted));
    polling_->counted = waiting;
  }
  if (transport() == Transport::websocket) polling_.reset();
}

// What nobody polls. Not while it is queued, which may be in the middle of a broadcast, but at the turn's end.
void LiveSession::pay_for_waiting() {
  if (!polling_ || machine_.is_closed()) return;
  const auto over = polling_->queued.set(home_->common().outgoing, machine_.waiting_bytes(), [this] { return caller(); });
  if (over) machine_.terminate(CloseReason::buffer_overflow);
}

void LiveSession::fetch() const {
  if (websocket_) websocket_->fetch_queue();
}

std::size_t LiveSession::unsent_bytes() const { return websocket_->unsent_bytes(); }

bool LiveSession::is_writable() const { return websocket_->is_writable(); }

void LiveSession::transmit(PacketRef packet, bool compress) {
  home_->count_sent();
  websocket_->send(std::move(packet), compress);
}

void LiveSession::close_websocket(bool drain) {
  WebsocketConnection::leave(std::move(websocket_), drain ? Queued::send : Queued::drop, close_code_);
}

WebsocketConnection* LiveSession::candidate() const { return polling_ ? polling_->candidate.get() : nullptr; }

void LiveSession::transmit_to_candidate(PacketRef packet) { polling_->candidate->send(std::move(packet), false); }

void LiveSession::adopt_candidate() {
  home_->count_upgrade();
  home_->count_websocket();
  websocket_ = std::move(polling_->candidate);
  websocket_->set_max_message(max_payload());
}

void LiveSession::drop_candidate() { WebsocketConnection::leave(std::move(polling_->candidate), Queued::drop, close_code_); }

void LiveSession::on_websocket_message(WebsocketConnection& connection, std::string_view data, bool binary) {
  home_->count_received();
  std::string bytes;
  std::optional<Packet> packet;
  if (protocol() == Protocol::v3) {
    packet = decode_packet_v3(data, binary, bytes);
  } else if (binary) {
    packet = Packet{.type = PacketType::message, .binary = true, .data = data};
  } else {
    packet = decode_packet(data, bytes);
  }
  const Packet* const read = packet ? &*packet : nullptr;
  if (&connection == candidate()) {
    machine_.on_candidate_packet(read, home_->shard().now());
  } else {
    machine_.on_packet(read, home_->shard().now());
  }
  arm();
}

void LiveSession::on_websocket_end(WebsocketConnection& connection, CloseReason reason) {
  if (&connection == candidate()) {
    machine_.on_candidate_end(home_->shard().now());
  } else {
    machine_.on_websocket_end(reason);
  }
  arm();
}

void LiveSession::on_timer() {
  armed_for_ = SteadyTime::max();
  machine_.on_time(home_->shard().now());
  arm();
}

void LiveSession::arm() {
  count_waiting();
  const SteadyTime due = machine_.deadline();
  if (due == armed_for_) return;
  armed_for_ = due;
  if (due == SteadyTime::max()) {
    timer_.cancel();
  } else {
    home_->shard().start_timer(timer_, std::chrono::ceil<Millis>(due - home_->shard().now()));
  }
}

}  // namespace payam::eio
