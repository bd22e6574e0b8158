#include "load/client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "load/polling.hpp"
#include "load/websocket.hpp"

namespace payam::bench {

std::unique_ptr<Client> Client::make(Loop& loop, ClientHandler& handler, const Options& options, bool polling, int index) {
  if (polling) return std::make_unique<PollingClient>(loop, handler, options, index);
  return std::make_unique<WebsocketClient>(loop, handler, options, index);
}

Client::~Client() { drop(); }

bool Client::connect() {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return false;
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state_ = State::connecting;
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    return false;
  }
  loop_.add(descriptor_, *this);  // an edge for writability comes once it is connected
  return true;
}

void Client::stop_reading() {
  reading_ = false;
  loop_.remove(descriptor_);
}

bool Client::cut_off() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  return descriptor_ < 0 || getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
         info.tcpi_state != TCP_ESTABLISHED;
}

void Client::drop() {
  state_ = State::closed;
  if (descriptor_ < 0) return;
  const linger reset{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::close(descriptor_);
  descriptor_ = -1;
}

void Client::fail() {
  if (closed()) return;
  drop();
  handler_.on_closed(*this);
}

void Client::on_events(std::uint32_t events) {
  if (closed()) return;
  if (state_ == State::connecting) {
    if ((events & EPOLLOUT) == 0) return fail();
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail();
    state_ = State::handshake;
    on_connected();
  }
  if ((events & EPOLLOUT) != 0 && !unwritten_.empty()) write({});
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read();
}

void Client::read() {
  while (!closed() && reading_) {
    char* const scratch = loop_.scratch();
    const std::size_t kept = unread_.size();
    if (kept > Loop::kScratchBytes / 2) return fail();  // nothing here sends messages of that size
    std::memcpy(scratch, unread_.data(), kept);
    const ssize_t got = ::recv(descriptor_, scratch + kept, Loop::kScratchBytes - kept, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return fail();
    const std::size_t have = kept + static_cast<std::size_t>(got);
    const std::size_t used = consume({scratch, have});
    if (closed()) return;
    unread_.assign(scratch + used, have - used);
    // Less than asked for: the kernel's buffer is empty, and the next bytes make a new edge.
    if (have < Loop::kScratchBytes) return;
  }
}

void Client::write(std::string_view bytes) {
  if (!unwritten_.empty()) {
    unwritten_.append(bytes);
    bytes = unwritten_;
  }
  if (closed() || bytes.empty()) return;
  ssize_t put = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (put < 0 && errno != EAGAIN && errno != EINTR) return fail();
  if (put < 0) put = 0;
  std::string rest(bytes.substr(static_cast<std::size_t>(put)));
  unwritten_ = std::move(rest);
}

void Client::on_packet(std::string_view packet) {
  if (packet.empty()) return fail();
  switch (packet[0]) {
    case '0': {
      const auto key = packet.find("\"sid\":\"");
      if (key == std::string_view::npos) return fail();
      const auto begin = key + 7;
      sid_ = packet.substr(begin, packet.find('"', begin) - begin);
      state_ = State::open;
      return send("40");
    }
    case '2': return send("3");
    case '4': break;
    case '6': return;
    default: return fail();
  }
  if (packet.size() < 2) return fail();
  switch (packet[1]) {
    case '0': state_ = State::ready; return handler_.on_ready(*this);
    case '2': return handler_.on_event(*this, packet.substr(2));
    case '3': return handler_.on_ack(*this, packet.substr(2));
    case '5': return;  // its attachment follows and is counted
    default: return fail();
  }
}

void Client::on_opaque(std::string_view bytes) {
  switch (state_) {
    case State::handshake: state_ = State::open; return send("40");
    case State::open: state_ = State::ready; return handler_.on_ready(*this);
    default: break;
  }
  if (!acked_join_) {
    acked_join_ = true;
    return handler_.on_ack(*this, {});
  }
  handler_.on_event(*this, bytes);
}

}  // namespace payam::bench
