#include "chat/store/mongo/fault_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "chat/store/mongo/bson.hpp"

namespace payam::chat::mongo {
namespace {

// A message of MongoDB's protocol: int32 length, request id, response to, opcode; then the body.
constexpr std::size_t kHeader = 16;
constexpr std::int32_t kOpMsg = 2013;

std::int32_t read_int(const std::string& message, std::size_t at) {
  std::int32_t value = 0;
  std::memcpy(&value, message.data() + at, sizeof value);  // little endian, as we are
  return value;
}

bool read_exactly(int socket, char* data, std::size_t size) {
  while (size > 0) {
    const auto length = ::recv(socket, data, size, 0);
    if (length <= 0) return false;
    data += length;
    size -= static_cast<std::size_t>(length);
  }
  return true;
}

std::optional<std::string> read_message(int socket) {
  std::string message(kHeader, '\0');
  if (!read_exactly(socket, message.data(), kHeader)) return std::nullopt;
  const auto length = static_cast<std::size_t>(read_int(message, 0));
  message.resize(length);
  if (!read_exactly(socket, message.data() + kHeader, length - kHeader)) return std::nullopt;
  return message;
}

bool write_message(int socket, std::string_view message) {
  while (!message.empty()) {
    const auto length = ::send(socket, message.data(), message.size(), MSG_NOSIGNAL);
    if (length <= 0) return false;
    message.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

// OP_MSG: flags, then a section of kind 0 whose document's first field is the command.
bool is_counted(const std::string& message) {
  constexpr std::size_t kName = kHeader + 4 + 1 + 4 + 1;
  if (read_int(message, 12) != kOpMsg || message.size() <= kName) return false;
  const std::string_view name = message.data() + kName;
  constexpr std::string_view kLibrary[] = {"hello", "isMaster", "ismaster", "ping", "endSessions"};
  return std::ranges::find(kLibrary, name) == std::end(kLibrary);
}

std::string error_reply(const std::string& request) {
  const Document document = doc("ok", 0.0, "code", 8000, "errmsg", "spoilt by the test");
  const View view = document;
  std::string reply(kHeader + 4 + 1, '\0');
  const auto length = static_cast<std::int32_t>(reply.size() + view.size());
  const std::int32_t header[] = {length, 1, read_int(request, 4), kOpMsg};
  std::memcpy(reply.data(), header, sizeof header);
  return reply.append(reinterpret_cast<const char*>(view.data()), view.size());
}

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

FaultProxy::FaultProxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 100) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  threads_.emplace_back([this] { accept_loop(); });
}

FaultProxy::~FaultProxy() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  threads_.front().join();  // from here on no thread is added
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
  ::close(listener_);
}

void FaultProxy::fail_at(std::int64_t command, Fault fault) {
  fault_ = fault;
  fails_at_ = command;
  commands_ = 0;
}

std::string FaultProxy::last_command() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void FaultProxy::accept_loop() {
  while (!stopping_) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    threads_.emplace_back([this, client] { serve(client); });
  }
}

// Requests and answers take turns on a connection.
void FaultProxy::serve(int client) {
  const int server = connect_to(server_port_);
  {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    if (server >= 0) sockets_.push_back(server);
  }
  for (bool going = server >= 0 && !stopping_; going;) {
    const auto request = read_message(client);
    if (!request) break;
    const bool counted = is_counted(*request);
    if (counted) {
      const std::lock_guard lock(mutex_);
      last_ = *request;
    }
    const bool spoilt = counted && ++commands_ == fails_at_;
    if (spoilt && fault_ == Fault::closed_before) break;
    if (spoilt && fault_ == Fault::error_reply) {
      going = write_message(client, error_reply(*request));
      continue;
    }
    if (!write_message(server, *request)) break;
    const auto reply = read_message(server);
    if (!reply || (spoilt && fault_ == Fault::closed_after)) break;
    if (spoilt && fault_ == Fault::never_answered) continue;
    going = write_message(client, *reply);
  }
  const std::lock_guard lock(mutex_);
  for (const int socket : {client, server}) {
    if (socket < 0) continue;
    std::erase(sockets_, socket);
    ::close(socket);
  }
}

}  // namespace payam::chat::mongo
