#include "engineio/session_machine.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "engineio/payload_v3.hpp"

namespace payam::eio {
namespace {

// How late a timer may be before the lateness counts as the client's time too. Without it the promised
// pingInterval + pingTimeout would grow by a tick of the wheel at every step.
constexpr Millis kTimerSlack{20};

// Packets in one polling payload. The specification knows no bound, but clients do: python-engineio refuses more than 16.
constexpr std::size_t kMaxPollPackets = 16;

// A post of the largest size may bring a hundred thousand packets. Taken in one go they would hold up the shard for as long as
// the application needs for them.
constexpr std::size_t kSlicePackets = 64;
constexpr std::size_t kSliceBytes = 16 * 1024;

// Of one candidate; one is usual. A client that does not read would have the answers to more queued without end.
constexpr int kMostProbes = 10;

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
  if (kind.transport == Transport::polling) polling_ = std::make_unique<Polling>();
}

std::size_t SessionMachine::buffered_bytes() const {
  if (polling_) return polling_->waiting.bytes();
  return state_ == State::closed ? 0 : sink_.unsent_bytes();
}

SteadyTime SessionMachine::deadline() const {
  if (state_ == State::closed) return SteadyTime::max();
  if (!polling_) return heartbeat_at_;
  SteadyTime due = std::min(polling_->upgrade_until, polling_->close_by);
  if (state_ == State::open && !is_probed()) due = std::min(due, heartbeat_at_);
  return due;
}

void SessionMachine::on_time(SteadyTime now) {
  if (state_ == State::closed) return;
  if (polling_ && now >= polling_->close_by) return finish(CloseReason::forced_close);
  if (polling_ && now >= polling_->upgrade_until) {
    end_upgrade(now);
    sink_.drop_candidate();
  }
  if (state_ != State::open || is_probed() || now < heartbeat_at_) return;
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
  if (options.droppable && !(polling_ ? polling_->poll_pending : sink_.is_writable())) return false;
  std::size_t bytes = buffered_bytes();
  for (const auto& packet : packets) bytes += packet->frame().size();
  if (bytes > max_buffered_bytes_) {
    if (!options.droppable) finish(CloseReason::buffer_overflow);
    return false;
  }
  for (const auto& packet : packets) {
    if (polling_) {
      polling_->waiting.push(packet, options.compress);
    } else {
      sink_.transmit(packet, options.compress);
    }
  }
  if (polling_ && polling_->poll_pending) sink_.flush_later();
  return true;
}

void SessionMachine::flush() {
  if (polling_ && polling_->poll_pending && !polling_->waiting.empty()) answer(take_payload());
}

void SessionMachine::answer(Payload payload) {
  polling_->poll_pending = false;
  sink_.answer_poll(std::move(payload));
}

void SessionMachine::answer_with(PacketType type) {
  const PacketRef packet = EncodedPacket::text(type, {});
  answer(encode(std::span(&packet, 1)));
}

Payload SessionMachine::take_payload() { return encode(polling_->waiting.take(kMaxPollPackets)); }

Payload SessionMachine::encode(std::span<const PacketRef> packets) const {
  return kind_.protocol == Protocol::v4 ? encode_payload(packets) : encode_payload_v3(packets, kind_.binary);
}

void SessionMachine::close(SteadyTime now) {
  if (state_ != State::open) return;
  if (!polling_) {
    state_ = State::closed;
    sink_.close_websocket(true);
    sink_.closed(CloseReason::forced_close);
    return;
  }
  state_ = State::closing;
  polling_->close_by = now + times_.poll_close_timeout;
  if (polling_->poll_pending) answer_last_poll();
}

// The packets, and "1" to the next poll: a client that finds both in one hears of the end before it has read the packets (a
// Socket.IO client would take a wanted disconnection for a lost connection).
void SessionMachine::answer_last_poll() {
  if (!polling_->waiting.empty()) return answer(take_payload());
  answer_with(PacketType::close);
  finish(CloseReason::forced_close);
}

void SessionMachine::terminate(CloseReason reason) { finish(reason); }

void SessionMachine::finish(CloseReason reason, PacketType last_answer) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (polling_) {
    if (polling_->poll_pending) {
      // It would have taken what is queued at the turn's end anyway.
      polling_->waiting.empty() ? answer_with(last_answer) : answer(take_payload());
    }
    polling_->waiting.clear();
    if (std::exchange(polling_->upgrade, Upgrade::none) != Upgrade::none) sink_.drop_candidate();
  } else {
    sink_.close_websocket(false);
  }
  sink_.closed(reason);
}

SessionMachine::Admission SessionMachine::start_poll(SteadyTime now) {
  on_time(now);
  if (state_ == State::closed || !polling_) return Admission::refused;
  if (polling_->poll_pending) {
    finish(CloseReason::transport_error);
    return Admission::overlap;
  }
  polling_->poll_pending = true;
  if (state_ == State::closing) {
    answer_last_poll();
  } else if (!polling_->waiting.empty()) {
    sink_.flush_later();
  } else if (is_probed()) {
    answer_with(PacketType::noop);
  }
  return Admission::accepted;
}

void SessionMachine::abort_poll() {
  // After the upgrade polls no longer matter.
  if (polling_) finish(CloseReason::transport_error);
}

SessionMachine::Admission SessionMachine::start_post(PayloadForm form) {
  if (state_ == State::closed || !polling_) return Admission::refused;
  if (form == PayloadForm::octets && kind_.protocol == Protocol::v4) {
    finish(CloseReason::transport_error);
    return Admission::refused;
  }
  if (polling_->post_pending) {
    finish(CloseReason::transport_error);
    return Admission::overlap;
  }
  polling_->post_pending = true;
  return Admission::accepted;
}

void SessionMachine::refuse_post() {
  if (polling_) polling_->post_pending = false;
}

void SessionMachine::abort_post() {
  if (!polling_) return;
  polling_->post_pending = false;
  finish(CloseReason::transport_error);
}

SessionMachine::PostStep SessionMachine::read_post(PostBody& body, SteadyTime now) {
  if (!polling_) return PostStep::refused;
  const PostStep step = read_slice(body, std::exchange(polling_->reading_post, true), now);
  if (step != PostStep::more && polling_) polling_->post_pending = polling_->reading_post = false;
  return step;
}

SessionMachine::PostStep SessionMachine::read_slice(PostBody& body, bool goes_on, SteadyTime now) {
  // What stands behind a packet that closed the session is not looked at, and was no fault of the request.
  if (state_ == State::closed) return goes_on ? PostStep::done : PostStep::refused;
  Packet packet;
  std::size_t bytes = 0;
  for (std::size_t packets = 0; packets < kSlicePackets && bytes < kSliceBytes; ++packets) {
    switch (body.next(packet)) {
      case PayloadReader::Step::end: return PostStep::done;
      case PayloadReader::Step::bad: finish(CloseReason::parse_error); return PostStep::refused;
      case PayloadReader::Step::packet: handle(packet, now); break;
    }
    if (state_ == State::closed) return PostStep::done;
    bytes += packet.data.size();
  }
  return PostStep::more;
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

bool SessionMachine::may_upgrade() const { return state_ != State::closed && polling_ && polling_->upgrade == Upgrade::none; }

void SessionMachine::start_upgrade(SteadyTime now) {
  assert(may_upgrade());
  polling_->upgrade = Upgrade::offered;
  polling_->probes = 0;
  polling_->upgrade_until = now + times_.upgrade_timeout;
}

void SessionMachine::on_candidate_packet(const Packet* packet, SteadyTime now) {
  assert(polling_->upgrade != Upgrade::none);
  const bool text = packet != nullptr && !packet->binary;
  if (text && packet->type == PacketType::ping && packet->data == "probe" && polling_->probes < kMostProbes) {
    polling_->probes += 1;
    polling_->upgrade = Upgrade::probed;
    sink_.transmit_to_candidate(EncodedPacket::text(PacketType::pong, "probe"));
    // The client now waits for its poll to end before it sends "5".
    if (polling_->poll_pending) polling_->waiting.empty() ? answer_with(PacketType::noop) : flush();
    return;
  }
  if (text && packet->type == PacketType::upgrade && is_probed()) return complete_upgrade(now);
  end_upgrade(now);
  sink_.drop_candidate();
}

void SessionMachine::on_candidate_end(SteadyTime now) {
  assert(polling_->upgrade != Upgrade::none);
  end_upgrade(now);
  sink_.drop_candidate();
}

// Heartbeats go on. The client could not answer a ping while it was between two transports.
void SessionMachine::end_upgrade(SteadyTime now) {
  if (is_probed() && awaiting_heartbeat_) heartbeat_at_ = std::max(heartbeat_at_, now + times_.ping_timeout);
  polling_->upgrade = Upgrade::none;
  polling_->upgrade_until = SteadyTime::max();
}

void SessionMachine::complete_upgrade(SteadyTime now) {
  end_upgrade(now);
  if (polling_->poll_pending) answer_with(PacketType::noop);
  auto waiting = polling_->waiting.take_all();
  kind_.transport = Transport::websocket;
  polling_.reset();
  sink_.adopt_candidate();
  for (PollQueue::Entry& entry : waiting) sink_.transmit(std::move(entry.packet), entry.compress);
  if (state_ == State::closing) {
    state_ = State::closed;
    sink_.close_websocket(true);
    sink_.closed(CloseReason::forced_close);
  }
}

}  // namespace payam::eio
