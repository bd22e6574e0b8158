#include "runtime/socket_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace payam {

asio::ip::address peer_of(const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  auto* const name = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(socket.get(), name, &size) != 0) return {};
  if (storage.ss_family == AF_INET) {
    return asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in*>(name)->sin_addr.s_addr));
  }
  if (storage.ss_family != AF_INET6) return {};
  const auto& from = *reinterpret_cast<const sockaddr_in6*>(name);
  asio::ip::address_v6::bytes_type bytes;
  std::ranges::copy(from.sin6_addr.s6_addr, bytes.begin());
  const asio::ip::address_v6 address(bytes, from.sin6_scope_id);
  if (address.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address);
  return address;
}

void set_no_delay(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

SocketStream::SocketStream(Shard& shard, Descriptor socket)
    : Stream(shard), Poller::Entry(std::move(socket)), poller_(shard.poller()) {}

void SocketStream::on_ready(std::uint32_t what) {
  const auto keep = shared_from_this();
  if ((what & Poller::kReadable) != 0) readable();
  if ((what & Poller::kWritable) != 0) writable();
}

void SocketStream::shut_down() { ::shutdown(native(), SHUT_WR); }

void SocketStream::close_socket() {
  if (has_socket()) release_socket();
}

void SocketStream::reset_socket() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(native(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close_socket();
}

Descriptor SocketStream::release_socket() {
  poller_->stop(*this);
  return release_descriptor();
}

}  // namespace payam
