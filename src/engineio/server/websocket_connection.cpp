#include "engineio/server/websocket_connection.hpp"

#include <algorithm>
#include <array>

#include "base/prefetch.hpp"
#include "base/utf8.hpp"
#include "engineio/server/home.hpp"

namespace payam::eio {

using websocket::CloseCode;
using websocket::Opcode;

WebsocketConnection::WebsocketConnection(Home& home, std::shared_ptr<Stream> stream, WebsocketTerms terms,
                                         std::size_t max_message, Owner* owner)
    : home_(home),
      stream_(std::move(stream)),
      owner_(owner),
      terms_(terms),
      reader_({.max_message = max_message, .allow_compressed = terms.deflate}) {
  stream_->attach(this);
  home_.census().add();
}

WebsocketConnection::~WebsocketConnection() {
  stream_->close();
  outbox_.clear();
  report_queued();
  home_.census().remove();
}

void WebsocketConnection::start(std::string early) {
  if (!early.empty()) take(early);
  if (!gone_) stream_->want_read();
}

// One read a turn: a peer that floods waits for its next turn like everybody else.
void WebsocketConnection::on_readable() {
  const std::size_t ahead = terms_.deflate ? kReadAheadCompressed : kReadAhead;
  const std::span<char> scratch = home_.shard().scratch();
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(reader_.frame_bytes_left() + ahead, scratch.size()));
  const IoResult result = stream_->read(scratch.first(most));
  switch (result.status) {
    case IoStatus::ok: take(scratch.first(result.bytes)); break;
    case IoStatus::would_block: break;
    case IoStatus::end:
    case IoStatus::error: return lost();
  }
  if (!gone_) stream_->want_read();
}

void WebsocketConnection::take(std::span<char> bytes) {
  if (failed_) return;
  if (const auto failure = reader_.feed(bytes, *this)) return fail(*failure);
  HeldBytes* const held = failed_ || is_left() ? nullptr : reader_.charge();
  if (held == nullptr) return;
  if (held->set(home_.common().incoming, reader_.kept_bytes(), [this] { return owner_->caller(); })) {
    reader_.stop();
    fail(CloseCode::try_again_later);
  }
}

void WebsocketConnection::fail(CloseCode code) {
  failed_ = true;
  answer_ = code;
  if (is_left()) {
    home_.shard().flush_later(*this);
  } else {
    owner_->on_websocket_end(*this, CloseReason::transport_error);
  }
}

bool WebsocketConnection::on_message(const websocket::Message& message) {
  if (is_left()) return true;
  std::string_view data = message.data;
  if (message.compressed) {
    const auto inflated = home_.inflater().inflate(data, reader_.max_message());
    if (!inflated || (!message.binary && !is_valid_utf8(*inflated))) {
      fail(inflated ? CloseCode::invalid_payload : inflated.error());
      return false;
    }
    data = *inflated;
  }
  owner_->on_websocket_message(*this, data, message.binary);
  return true;  // also when it was left meanwhile: the peer's close frame may stand behind
}

bool WebsocketConnection::on_ping(std::string_view payload) {
  if (!is_left() && outbox_.bytes() <= kPongsUpTo) send(EncodedPacket::control(Opcode::pong, payload), false);
  return true;
}

bool WebsocketConnection::on_pong(std::string_view) { return true; }

void WebsocketConnection::on_close(CloseCode code, std::string_view) {
  peer_closed_ = true;
  answer_ = code;
  if (is_left()) {
    home_.shard().flush_later(*this);
  } else {
    owner_->on_websocket_end(*this, CloseReason::transport_close);
  }
}

void WebsocketConnection::send(PacketRef packet, bool compress) {
  const bool usual = terms_.form == BinaryForm::frame && terms_.protocol == Protocol::v4;
  if (!usual && packet->is_binary()) packet = EncodedPacket::binary_for(terms_.protocol, terms_.form, packet->payload());
  if (terms_.deflate && compress && packet->size() >= home_.options().permessage_deflate->threshold) {
    packet = packet->deflated(home_.deflater());
  }
  outbox_.push(std::move(packet));
  if (blocked_) report_queued();
  if (!blocked_ || outbox_.bytes() > paid()) home_.shard().flush_later(*this);
}

WebsocketConnection::Strained& WebsocketConnection::strained() {
  if (!strained_) strained_ = std::make_unique<Strained>(*this);
  return *strained_;
}

// Only for what the peer does not take: whoever reads costs nothing.
bool WebsocketConnection::pay_for_queue() {
  const std::size_t waiting = blocked_ ? outbox_.bytes() : 0;
  if (waiting <= HeldBytes::kFree && !strained_) return true;
  const auto over =
      strained().queued.set(home_.common().outgoing, waiting, [this] { return is_left() ? Caller{} : owner_->caller(); });
  if (waiting == 0 && !is_left()) strained_.reset();
  return !over;
}

void WebsocketConnection::report_queued() {
  home_.count_queued(static_cast<std::ptrdiff_t>(outbox_.bytes()) - static_cast<std::ptrdiff_t>(reported_));
  reported_ = outbox_.bytes();
}

void WebsocketConnection::flush() {
  while (!gone_ && !blocked_ && !outbox_.empty()) {
    std::array<iovec, kGather> parts;
    std::size_t count = 0;
    outbox_.gather(kGather, [&](std::string_view piece) { parts[count++] = {const_cast<char*>(piece.data()), piece.size()}; });
    const IoResult result = stream_->write(std::span(parts).first(count));
    home_.count_write();
    if (result.status == IoStatus::would_block) {
      blocked_ = true;
      stream_->want_write();
      break;
    }
    if (result.status != IoStatus::ok) return lost();
    outbox_.consume(result.bytes);
  }
  report_queued();
  if (!pay_for_queue()) return is_left() ? abandon() : owner_->on_websocket_end(*this, CloseReason::buffer_overflow);
  if (gone_ || blocked_ || !close_queued_) return;
  // Our close frame is out.
  if (peer_closed_) {
    end();
  } else if (failed_) {
    stream_->finish_writing();
  }
}

void WebsocketConnection::fetch_queue() const { prefetch(this, sizeof(*this) - sizeof(reader_)); }

void WebsocketConnection::fetch() const {
  stream_->fetch();
  fetch_queue();
}

void WebsocketConnection::on_writable() {
  blocked_ = false;
  flush();
}

void WebsocketConnection::leave(std::unique_ptr<WebsocketConnection> connection, Queued queued, CloseCode code) {
  WebsocketConnection& self = *connection;
  Home& home = self.home_;
  self.owner_ = nullptr;
  home.keep(std::move(connection));
  if (self.gone_) return self.end();
  self.reader_.ignore_messages();
  if (queued == Queued::drop) self.outbox_.drop_unsent();
  const bool answers = self.failed_ || self.peer_closed_;
  self.send(EncodedPacket::control(Opcode::close, websocket::close_payload(answers ? self.answer_ : code)), false);
  self.close_queued_ = true;
  self.pay_for_queue();
  home.shard().start_timer(self.strained().close_timer, home.options().close_timeout);
}

// The stream has ended or broken.
void WebsocketConnection::lost() {
  gone_ = true;
  stream_->close();
  if (is_left()) {
    end();
  } else {
    owner_->on_websocket_end(*this, CloseReason::transport_close);
  }
}

void WebsocketConnection::on_timeout() { abandon(); }

void WebsocketConnection::abandon() {
  // What the peer has not taken by now must not wait in the kernel.
  stream_->abort();
  end();
}

void WebsocketConnection::end() {
  gone_ = true;
  strained_.reset();
  stream_->close();
  home_.discard(*this);
}

}  // namespace payam::eio
