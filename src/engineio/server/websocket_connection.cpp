#include "engineio/server/websocket_connection.hpp"

#include <array>

#include "base/prefetch.hpp"
#include "base/utf8.hpp"
#include "engineio/server/home.hpp"

namespace payam::eio {

using websocket::CloseCode;
using websocket::Opcode;

WebsocketConnection::WebsocketConnection(Home& home, std::shared_ptr<Stream> stream, WebsocketTerms terms, Owner* owner)
    : home_(home),
      stream_(std::move(stream)),
      owner_(owner),
      terms_(terms),
      reader_({.max_message = home.options().max_payload, .allow_compressed = terms.deflate}) {
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
  const std::span<char> scratch = home_.shard().scratch();
  const IoResult result = stream_->read(scratch);
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
  if (const auto failure = reader_.feed(bytes, *this)) fail(*failure);
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
    const auto inflated = home_.inflater().inflate(data, home_.options().max_payload);
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
  if (blocked_) {
    report_queued();
  } else {
    home_.shard().flush_later(*this);
  }
}

void WebsocketConnection::report_queued() {
  home_.count_queued(static_cast<std::ptrdiff_t>(outbox_.bytes()) - static_cast<std::ptrdiff_t>(reported_));
  reported_ = outbox_.bytes();
}

void WebsocketConnection::flush() {
  while (!gone_ && !outbox_.empty()) {
    std::array<iovec, kGather> parts;
    std::size_t count = 0;
    outbox_.gather(kGather, [&](std::string_view piece) { parts[count++] = {const_cast<char*>(piece.data()), piece.size()}; });
    const IoResult result = stream_->write(std::span(parts).first(count));
    home_.count_write();
    if (result.status == IoStatus::would_block) {
      blocked_ = true;
      stream_->want_write();
      return report_queued();
    }
    if (result.status != IoStatus::ok) return lost();
    outbox_.consume(result.bytes);
  }
  report_queued();
  if (gone_ || !close_queued_) return;
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
  if (queued == Queued::drop) self.outbox_.drop_unsent();
  const bool answers = self.failed_ || self.peer_closed_;
  self.send(EncodedPacket::control(Opcode::close, websocket::close_payload(answers ? self.answer_ : code)), false);
  self.close_queued_ = true;
  self.close_timer_ = std::make_unique<CloseTimer>(self);
  home.shard().start_timer(*self.close_timer_, home.options().close_timeout);
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
  if (close_timer_) close_timer_->cancel();
  stream_->close();
  home_.discard(*this);
}

}  // namespace payam::eio
