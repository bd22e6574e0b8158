#include "engineio/session_machine.hpp"

#include <algorithm>
#include <cassert>

#include "engineio/payload_v3.hpp"

namespace payam::eio {
namespace {

// How late a timer may be before the lateness counts as the client's time too. Without it the promised
// pingInterval + pingTimeout would grow by a tick of the wheel at every step.
constexpr Millis kTimerSlack{20};

// Packets in one polling payload. The specification knows no bound, but clients do: python-engineio refuses more than 16.
constexpr std::size_t kMaxPollPackets = 16;

// Shared by all sessions: a heartbeat allocates nothing.
const PacketRef& ping_packet() {
  static const PacketRef packet = EncodedPacket::text(PacketType::ping, {});
  return packet;
}

const PacketRef& pong_packet() {
  static const PacketRef packet = EncodedPacket::text(PacketType::pong, {});
  return packet;
}

}  // namespace

SessionMachine::SessionMachine(const SessionTimes& times, std::size_t max_buffered_bytes, SessionKind kind, SteadyTime now,
                               SessionSink& sink)
    : times_(times),
      max_buffered_bytes_(max_buffered_bytes),
      sink_(sink),
      kind_(kind),
      awaiting_heartbeat_(kind.protocol == Protocol::v3),
      heartbeat_at_(now + times.ping_interval) {
  if (awaiting_heartbeat_) heartbeat_at_ += times.ping_timeout;
}

std::size_t SessionMachine::buffered_bytes() const {
  return kind_.transport == Transport::websocket && state_ != State::closed ? sink_.unsent_bytes() : waiting_.bytes();
}

SteadyTime SessionMachine::deadline() const {
  if (state_ == State::closed) return SteadyTime::max();
  SteadyTime due = std::min(upgrade_until_, close_by_);
  if (state_ == State::open && upgrade_ != Upgrade::probed) due = std::min(due, heartbeat_at_);
  return due;
}

void SessionMachine::on_time(SteadyTime now) {
  if (state_ == State::closed) return;
  if (now >= close_by_) return finish(CloseReason::forced_close);
  if (now >= upgrade_until_) {
    end_upgrade(now);
    sink_.drop_candidate();
  }
  if (state_ != State::open || upgrade_ == Upgrade::probed || now < heartbeat_at_) return;
  if (awaiting_heartbeat_) return finish(CloseReason::ping_timeout);
  ping(now);
}

void SessionMachine::ping(SteadyTime now) {
  awaiting_heartbeat_ = true;
  heartbeat_at_ = std::max(heartbeat_at_, now - kTimerSlack) + times_.ping_timeout;
  send(std::span(&ping_packet(), 1), {.droppable = false, .compress = false});
}

bool SessionMachine::send(std::span<const PacketRef> packets, SendOptions options) {
  if (state_ != State::open) return false;
  const bool websocket = kind_.transport == Transport::websocket;
  if (options.droppable && !(websocket ? sink_.is_writable() : poll_pending_)) return false;
  std::size_t bytes = buffered_bytes();
  for (const auto& packet : packets) bytes += packet->frame().size();
  if (bytes > max_buffered_bytes_) {
    if (!options.droppable) finish(CloseReason::buffer_overflow);
    return false;
  }
  for (const auto& packet : packets) {
    if (websocket) {
      sink_.transmit(packet, options.compress);
    } else {
      waiting_.push(packet, options.compress);
    }
  }
  if (poll_pending_) sink_.flush_later();
  return true;
}

void SessionMachine::flush() {
  if (poll_pending_ && !waiting_.empty()) answer(take_payload());
}

void SessionMachine::answer(Payload payload) {
  poll_pending_ = false;
  sink_.answer_poll(std::move(payload));
}

void SessionMachine::answer_with(PacketType type) {
  const PacketRef packet = EncodedPacket::text(type, {});
  answer(encode(std::span(&packet, 1)));
}

Payload SessionMachine::take_payload() { return encode(waiting_.take(kMaxPollPackets)); }

Payload SessionMachine::encode(std::span<const PacketRef> packets) const {
  return kind_.protocol == Protocol::v4 ? encode_payload(packets) : encode_payload_v3(packets, kind_.binary);
}

void SessionMachine::close(SteadyTime now) {
  if (state_ != State::open) return;
  if (kind_.transport == Transport::websocket) {
    state_ = State::closed;
    sink_.close_websocket(true);
    sink_.closed(CloseReason::forced_close);
    return;
  }
  state_ = State::closing;
  close_by_ = now + times_.poll_close_timeout;
  if (poll_pending_) answer_last_poll();
}

// The packets, and "1" to the next poll: a client that finds both in one hears of the end before it has read the packets (a
// Socket.IO client would take a wanted disconnection for a lost connection).
void SessionMachine::answer_last_poll() {
  if (!waiting_.empty()) return answer(take_payload());
  answer_with(PacketType::close);
  finish(CloseReason::forced_close);
}

void SessionMachine::terminate(CloseReason reason) { finish(reason); }

void SessionMachine::finish(CloseReason reason, PacketType last_answer) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (poll_pending_) {
    // It would have taken what is queued at the turn's end anyway.
    waiting_.empty() ? answer_with(last_answer) : answer(take_payload());
  }
  waiting_.clear();
  if (upgrade_ != Upgrade::none) {
    upgrade_ = Upgrade::none;
    sink_.drop_candidate();
  }
  if (kind_.transport == Transport::websocket) sink_.close_websocket(false);
  sink_.closed(reason);
}

SessionMachine::Admission SessionMachine::start_poll(SteadyTime now) {
  on_time(now);
  if (state_ == State::closed || kind_.transport != Transport::polling) return Admission::refused;
  if (poll_pending_) {
    finish(CloseReason::transport_error);
    return Admission::overlap;
  }
  poll_pending_ = true;
  if (state_ == State::closing) {
    answer_last_poll();
  } else if (!waiting_.empty()) {
    sink_.flush_later();
  } else if (upgrade_ == Upgrade::probed) {
    answer_with(PacketType::noop);
  }
  return Admission::accepted;
}

void SessionMachine::abort_poll() {
  // After the upgrade polls no longer matter.
  if (kind_.transport == Transport::polling) finish(CloseReason::transport_error);
}

SessionMachine::Admission SessionMachine::start_post(PayloadForm form) {
  if (state_ == State::closed || kind_.transport != Transport::polling) return Admission::refused;
  if (form == PayloadForm::octets && kind_.protocol == Protocol::v4) {
    finish(CloseReason::transport_error);
    return Admission::refused;
  }
  if (post_pending_) {
    finish(CloseReason::transport_error);
    return Admission::overlap;
  }
  post_pending_ = true;
  return Admission::accepted;
}

void SessionMachine::abort_post() {
  post_pending_ = false;
  if (kind_.transport == Transport::polling) finish(CloseReason::transport_error);
}

bool SessionMachine::end_post(std::string_view body, PayloadForm form, SteadyTime now) {
  post_pending_ = false;
  if (state_ == State::closed || kind_.transport != Transport::polling) return false;
  return kind_.protocol == Protocol::v4 ? read_payload(PayloadReader(body), now)
                                        : read_payload(PayloadReaderV3(body, form), now);
}

template <class Reader>
bool SessionMachine::read_payload(Reader reader, SteadyTime now) {
  Packet packet;
  for (;;) {
    switch (reader.next(packet)) {
      case PayloadReader::Step::end: return true;
      case PayloadReader::Step::bad: finish(CloseReason::parse_error); return false;
      case PayloadReader::Step::packet: handle(packet, now); break;
    }
    // What stands behind a packet that closed the session is not looked at, and was no fault of the request.
    if (state_ == State::closed) return true;
  }
}

void SessionMachine::on_packet(const Packet* packet, SteadyTime now) {
  if (packet == nullptr) return finish(CloseReason::parse_error);
  handle(*packet, now);
}

void SessionMachine::on_websocket_end(CloseReason reason) { finish(reason); }

void SessionMachine::handle(const Packet& packet, SteadyTime now) {
  if (state_ == State::closed) return;
  if (packet.type == PacketType::close) {
    return finish(CloseReason::transport_close, PacketType::noop);
  }
  if (state_ != State::open) return;
  switch (packet.type) {
    case PacketType::message: sink_.deliver(packet); break;
    case PacketType::ping:
    case PacketType::pong: heartbeat(packet.type, now); break;
    case PacketType::open:
    case PacketType::upgrade:
    case PacketType::noop:
    case PacketType::close: break;
  }
}

// Version 4: the server pings and the client pongs; version 3: the other way round. Nobody does it in the wrong direction.
void SessionMachine::heartbeat(PacketType type, SteadyTime now) {
  const bool client_pings = kind_.protocol == Protocol::v3;
  if ((type == PacketType::ping) != client_pings) return finish(CloseReason::transport_error);
  heartbeat_at_ = now + times_.ping_interval;
  if (client_pings) {
    heartbeat_at_ += times_.ping_timeout;
    send(std::span(&pong_packet(), 1), {.droppable = false, .compress = false});
  } else {
    awaiting_heartbeat_ = false;
  }
}

bool SessionMachine::may_upgrade() const {
  return state_ != State::closed && kind_.transport == Transport::polling && upgrade_ == Upgrade::none;
}

void SessionMachine::start_upgrade(SteadyTime now) {
  assert(may_upgrade());
  upgrade_ = Upgrade::offered;
  upgrade_until_ = now + times_.upgrade_timeout;
}

void SessionMachine::on_candidate_packet(const Packet* packet, SteadyTime now) {
  assert(upgrade_ != Upgrade::none);
  const bool text = packet != nullptr && !packet->binary;
  if (text && packet->type == PacketType::ping && packet->data == "probe") {
    upgrade_ = Upgrade::probed;
    sink_.transmit_to_candidate(EncodedPacket::text(PacketType::pong, "probe"));
    // The client now waits for its poll to end before it sends "5".
    if (poll_pending_) waiting_.empty() ? answer_with(PacketType::noop) : flush();
    return;
  }
  if (text && packet->type == PacketType::upgrade && upgrade_ == Upgrade::probed) return complete_upgrade(now);
  end_upgrade(now);
  sink_.drop_candidate();
}

void SessionMachine::on_candidate_end(SteadyTime now) {
  assert(upgrade_ != Upgrade::none);
  end_upgrade(now);
  sink_.drop_candidate();
}

// Heartbeats go on. The client could not answer a ping while it was between two transports.
void SessionMachine::end_upgrade(SteadyTime now) {
  if (upgrade_ == Upgrade::probed && awaiting_heartbeat_) heartbeat_at_ = std::max(heartbeat_at_, now + times_.ping_timeout);
  upgrade_ = Upgrade::none;
  upgrade_until_ = SteadyTime::max();
}

void SessionMachine::complete_upgrade(SteadyTime now) {
  end_upgrade(now);
  if (poll_pending_) answer_with(PacketType::noop);
  kind_.transport = Transport::websocket;
  close_by_ = SteadyTime::max();
  sink_.adopt_candidate();
  waiting_.move_to([this](Outbox::Entry&& entry) { sink_.transmit(std::move(entry.packet), entry.compress); });
  if (state_ == State::closing) {
    state_ = State::closed;
    sink_.close_websocket(true);
    sink_.closed(CloseReason::forced_close);
  }
}

}  // namespace payam::eio
