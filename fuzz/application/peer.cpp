#include "fuzz/application/peer.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "engineio/websocket/frame.hpp"

namespace payam::fuzz {
namespace {

namespace json = boost::json;
using eio::websocket::Opcode;

constexpr std::size_t kRemembered = 4'000;
// A piece is on its own once the server has read it; it may not read now, which is as well.
constexpr std::chrono::microseconds kPieceTime{500};
constexpr Millis kWaitPiece{1'000};
// What the server does not take within this time it need not take.
constexpr Millis kSendTime{50};

void remember(std::string& tail, std::string_view bytes) {
  tail += bytes.substr(bytes.size() > kRemembered ? bytes.size() - kRemembered : 0);
  if (tail.size() > 2 * kRemembered) tail.erase(0, tail.size() - kRemembered);
}

bool is_known(Opcode opcode) {
  switch (opcode) {
    case Opcode::text:
    case Opcode::binary:
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong: return true;
    case Opcode::continuation: return false;  // the server does not write in fragments
  }
  return false;
}

}  // namespace

void find(std::string_view what, std::string_view detail) {
  std::fprintf(stderr, "\nFOUND: %.*s\n%.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(detail.size()),
               detail.data());
  std::abort();
}

void Peer::object(std::string_view to) const {
  std::string detail = "--- sent:\n" + sent_ + "\n--- received:\n" + received_;
  if (!owed_.empty()) detail += "\n--- owed: " + owed_.front().what;
  for (const auto id : acks_owed_) detail += "\n--- owed: acknowledgement " + std::to_string(id);
  find(to, detail);
}

// --- Sending ---------------------------------------------------------------------------------------------------------

void Peer::request(std::string_view bytes, Owed owed) {
  if (clean_ && !finished_) owed_.push_back(std::move(owed));
  queue(bytes);
}

void Peer::send_anything(std::string_view bytes) {
  spoil();
  queue(bytes);
}

void Peer::spoil() {
  clean_ = false;
  owed_.clear();
  forget_acks();
}

void Peer::finish_writing() {
  if (!is_open() || std::exchange(finished_, true)) return;
  ::shutdown(socket_.get(), SHUT_WR);
}

bool Peer::is_owed() const {
  if (!is_open() || !clean_ || !reads_ || finished_ || unsent() != 0) return false;
  return !acks_owed_.empty() || connects_owed_ != 0 || (!owed_.empty() && !owed_.front().may_wait);
}

void Peer::queue(std::string_view bytes) {
  if (!is_open() || finished_) return;
  remember(sent_, bytes);
  out_ += bytes;
  flush();
  if (unsent() == 0) return;
  Peer* const self = this;
  if (pump(std::span(&self, 1), kSendTime, [this] { return unsent() == 0 || !is_open(); })) return;
  spoil();
  out_.clear();
  out_used_ = 0;
}

void Peer::flush() {
  while (unsent() != 0 && is_open()) {
    const std::size_t length = piece_ == 0 ? unsent() : std::min(piece_, unsent());
    const ssize_t put = ::send(socket_.get(), out_.data() + out_used_, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0) {
      if (errno != EAGAIN) out_used_ = out_.size();  // nobody reads it; receive() sees the end
      break;
    }
    out_used_ += static_cast<std::size_t>(put);
    if (piece_ != 0) wait_until_read();
  }
  if (unsent() == 0) {
    out_.clear();
    out_used_ = 0;
  }
}

void Peer::wait_until_read() const {
  const SteadyTime deadline = steady_now() + kPieceTime;
  int unread = 1;
  while (unread > 0 && steady_now() < deadline) {
    if (::ioctl(socket_.get(), SIOCOUTQ, &unread) != 0) return;
    if (unread > 0) ::sched_yield();
  }
}

bool Peer::wait_for(std::span<Peer* const> peers, Millis limit) {
  std::vector<pollfd> waits;
  for (const Peer* peer : peers) {
    if (!peer->is_open()) continue;
    short events = peer->reads_ ? POLLIN : 0;
    if (peer->unsent() != 0) events |= POLLOUT;
    if (events != 0) waits.push_back({peer->socket_.get(), events, 0});
  }
  if (waits.empty()) return false;
  // In short waits, so that a time in which the whole process was stopped counts as one of them.
  for (Millis left = limit; left > Millis{0}; left -= kWaitPiece) {
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::min(left, kWaitPiece).count()));
    if (ready > 0 || (ready < 0 && errno == EINTR)) return true;  // libFuzzer's alarm interrupts it now and then
  }
  return false;
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void Peer::receive() {
  char buffer[16 * 1024];
  while (is_open() && reads_) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      ended_ = true;
      on_end();
      return;
    }
    const std::string_view bytes(buffer, static_cast<std::size_t>(got));
    remember(received_, bytes);
    // Whether a reply has a body depends on its request, which is known only of those that are whole.
    if (!clean_ && !websocket_) continue;
    in_ += bytes;
    understand();
  }
}

void Peer::understand() {
  while (websocket_ ? take_frame() : clean_ && take_reply()) {
  }
}

void Peer::on_end() {
  if (!clean_ || finished_ || websocket_) return;
  require(in_.empty(), "a reply ends in its middle");
  require(owed_.empty() || last_reply_closes_ || owed_.front().may_be_refused,
          "the connection ends before a request is answered");
}

bool Peer::take_reply() {
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string_view head(in_.data(), end + 2);
  Reply reply;
  require(head.starts_with("HTTP/1.1 ") && head.size() > 13 && head[12] == ' ', "a status line is malformed");
  const auto digits = std::from_chars(head.data() + 9, head.data() + 12, reply.status);
  require(digits.ec == std::errc{} && digits.ptr == head.data() + 12 && reply.status >= 100, "a status is no number");
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    require(colon < line_end, "a header has no colon");
    reply.headers.add(std::string(head.substr(at, colon - at)), std::string(head.substr(colon + 2, line_end - colon - 2)));
    at = line_end + 2;
  }
  if (reply.status == 100) {
    in_.erase(0, end + 4);
    return true;
  }
  // A connection that has waited too long is told so, unasked.
  require(!owed_.empty() || reply.status == 408 || reply.status == 503, "a reply that nobody asked for");
  const bool head_only = !owed_.empty() && owed_.front().head_only;
  std::size_t length = 0;
  if (const auto text = reply.headers.find("Content-Length"); text && !head_only) {
    const auto read = std::from_chars(text->data(), text->data() + text->size(), length);
    require(read.ec == std::errc{} && read.ptr == text->data() + text->size(), "Content-Length is no number");
  }
  require(!reply.headers.has("Transfer-Encoding"), "a reply comes in chunks");
  if (in_.size() - end - 4 < length) return false;
  reply.body = in_.substr(end + 4, length);
  in_.erase(0, end + 4 + length);

  const bool switches = reply.status == 101;
  require(switches || head_only || reply.status == 204 || reply.status == 304 || reply.headers.has("Content-Length"),
          "a reply has no length");
  require(reply.status != 500, "a server fault");
  const auto type = reply.headers.find("Content-Type").value_or("");
  if (type.starts_with("application/json") && !head_only && !reply.headers.has("Content-Encoding") && reply.status != 304 &&
      reply.status != 206) {
    reply.json = parsed(reply.body);
    on_json_(reply.json);
  }
  last_reply_closes_ = http::has_token(reply.headers.find("Connection").value_or(""), "close");
  if (owed_.empty()) return true;
  const Owed owed = std::move(owed_.front());
  owed_.pop_front();
  if (switches) {
    require(owed.upgrade, "a protocol is switched unasked");
    websocket_ = true;
    deflates_ = reply.headers.has("Sec-WebSocket-Extensions");
    owed_.clear();  // what was sent after it are frames to the server
  }
  if (owed.then) owed.then(reply);
  return true;
}

bool Peer::take_frame() {
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(in_[at]); };
  if (in_.size() < 2) return false;
  const auto opcode = static_cast<Opcode>(byte(0) & 0x0f);
  const bool compressed = (byte(0) & eio::websocket::kRsv1) != 0;
  require(is_known(opcode) && (byte(0) & 0x30) == 0 && (byte(0) & eio::websocket::kFin) != 0, "a frame's first byte is wrong");
  require(!compressed || deflates_, "a frame is compressed unasked");
  require((byte(1) & 0x80) == 0, "a frame is masked");
  std::size_t length = byte(1) & 0x7f, header = 2;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (in_.size() < header + more) return false;
  if (more != 0) length = 0;
  for (std::size_t i = 0; i < more; ++i) length = length << 8 | byte(header + i);
  header += more;
  if (in_.size() - header < length) return false;
  const std::string payload = in_.substr(header, length);
  in_.erase(0, header + length);
  if (opcode == Opcode::text && !compressed) {
    require(is_valid_utf8(payload), "a text frame is no UTF-8");
    on_packet(payload);
  }
  if (opcode == Opcode::close) forget_acks();
  return true;
}

void Peer::on_packet(std::string_view packet) {
  require(!packet.empty() && packet[0] >= '0' && packet[0] <= '6', "an Engine.IO packet of no known type");
  if (packet[0] == '4') on_message(packet.substr(1));
}

void Peer::on_message(std::string_view message) {
  require(!message.empty() && message[0] >= '0' && message[0] <= '6', "a Socket.IO packet of no known type");
  const char type = message[0];
  message.remove_prefix(1);
  if (type == '5' || type == '6') message.remove_prefix(std::min(message.find('-'), message.size() - 1) + 1);
  if (message.starts_with('/')) message.remove_prefix(std::min(message.find(','), message.size() - 1) + 1);
  std::uint64_t id = 0;
  const auto read = std::from_chars(message.data(), message.data() + message.size(), id);
  const bool has_id = read.ec == std::errc{};
  if (has_id) message.remove_prefix(static_cast<std::size_t>(read.ptr - message.data()));
  json::value payload;
  if (!message.empty()) payload = parsed(message);
  if (type == '1') forget_acks();
  if ((type == '0' || type == '4') && connects_owed_ != 0) --connects_owed_;
  if (type == '3' || type == '6') {
    require(has_id && payload.is_array(), "an acknowledgement is malformed");
    if (clean_) require(acks_owed_.erase(id) == 1, "an acknowledgement that nobody waits for");
    const auto& arguments = payload.get_array();
    if (!arguments.empty() && arguments[0].is_object()) {
      const auto* code = arguments[0].get_object().if_contains("code");
      require(code == nullptr || *code != "internal", "a server fault in an acknowledgement");
    }
  }
  on_json_(payload);
}

json::value Peer::parsed(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 300;  // what is refused is quoted
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  require(!error, "JSON that cannot be read");
  return value;
}

}  // namespace payam::fuzz
