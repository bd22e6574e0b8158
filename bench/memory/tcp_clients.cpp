#include "memory/tcp_clients.hpp"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>

namespace payam::bench {
namespace {

constexpr std::size_t kBatch = 500;            // connections opened between two rounds of the loop
constexpr std::chrono::seconds kPatience{20};  // for the loopback to carry what was said

constexpr std::string_view kUpgrade =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
// The packet "40", masked with a zero key.
constexpr std::string_view kConnect(
    "\x81\x82\0\0\0\0"
    "40",
    8);

http::Router routes(sio::Server& io) {
  http::Router router;
  io.attach(router);
  return router;
}

http::ServerOptions any_port() {
  http::ServerOptions options;
  options.port = 0;
  return options;
}

Descriptor connect_to(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::system_error(errno, std::system_category(), "connect");
  }
  return socket;
}

}  // namespace

TcpClients::TcpClients() : server_({&shard_}, routes(io_), any_port()) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  server_.start();
}

TcpClients::~TcpClients() {
  sockets_.clear();
  io_.close();
  server_.stop();
  settle();
  context_.stop();
}

void TcpClients::open(std::size_t count) {
  sockets_.reserve(sockets_.size() + count);
  for (std::size_t done = 0; done < count;) {
    const std::size_t first = sockets_.size();
    for (; done < count && sockets_.size() - first < kBatch; ++done) sockets_.push_back(connect_to(server_.port()));
    const auto until = [&](auto reached) {
      for (const auto limit = std::chrono::steady_clock::now() + kPatience; reached() < sockets_.size(); settle()) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("not all clients could connect");
      }
    };
    say(first, kUpgrade);
    until([&] { return io_.counters().connections_open; });
    say(first, kConnect);
    until([&] { return io_.counters().sockets_open; });
  }
  settle();
}

void TcpClients::say(std::size_t first, std::string_view bytes) {
  for (std::size_t i = first; i < sockets_.size(); ++i) ::send(sockets_[i].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void TcpClients::settle() {
  do {
    context_.restart();
  } while (context_.poll() > 0);
}

}  // namespace payam::bench
