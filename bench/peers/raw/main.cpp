// The lower bound: what the same application costs with nothing around it. One thread of raw epoll, websocket only, no
// timers, no limits, no validation; it serves the load generator and nobody else. A connection queues references to shared
// frames and everything is written with one gathered write at the end of a turn of the loop.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using Frame = std::shared_ptr<const std::string>;

// The answer to the key of the example in RFC 6455, which the load generator always sends.
constexpr std::string_view kUpgrade =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::size_t kScratchBytes = 64 * 1024;

std::string frame(int opcode, std::string_view payload) {
  std::string bytes(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    bytes += static_cast<char>(payload.size());
  } else {
    bytes += static_cast<char>(126);
    bytes += static_cast<char>(payload.size() >> 8);
    bytes += static_cast<char>(payload.size());
  }
  return bytes.append(payload);
}

struct Connection {
  int descriptor = -1;
  bool upgraded = false;
  bool dirty = false;
  bool blocked = false;
  std::size_t sent_of_first = 0;
  std::string unread;
  std::vector<Frame> queue;
};

class Server {
 public:
  explicit Server(int port);
  void run();

 private:
  void accept_all();
  void read(Connection& connection);
  std::size_t consume(Connection& connection, char* data, std::size_t size);
  void on_message(Connection& connection, std::string_view text);
  void on_binary(std::string_view bytes);
  void queue(Connection& connection, Frame bytes);
  void flush(Connection& connection);
  void close(Connection& connection);

  int listener_, epoll_;
  std::unordered_map<std::string, std::vector<Connection*>> rooms_;
  std::vector<Connection*> dirty_;
  std::vector<std::unique_ptr<Connection>> closed_;  // until the end of the turn
  std::string binary_room_;                          // of the attachment awaited: it is always the next frame
  std::array<char, kScratchBytes> scratch_{};
};

Server::Server(int port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), epoll_(epoll_create1(0)) {
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 4096) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
}

void Server::run() {
  std::array<epoll_event, 512> events;
  for (;;) {
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if (connection == nullptr) {
        accept_all();
        continue;
      }
      if ((event.events & EPOLLOUT) != 0 && connection->blocked) {
        connection->blocked = false;
        if (!connection->dirty) dirty_.push_back(connection), connection->dirty = true;
      }
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection->descriptor >= 0) read(*connection);
    }
    // Indexed: a failed write closes its connection and touches the list.
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
      dirty_[i]->dirty = false;
      if (dirty_[i]->descriptor >= 0 && !dirty_[i]->blocked) flush(*dirty_[i]);
    }
    dirty_.clear();
    closed_.clear();
  }
}

void Server::accept_all() {
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (descriptor < 0) return;
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto* connection = new Connection;  // owned by the epoll set; close() takes it back
    connection->descriptor = descriptor;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = connection;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }
}

void Server::close(Connection& connection) {
  if (connection.descriptor < 0) return;
  ::close(connection.descriptor);
  connection.descriptor = -1;
  for (auto& [name, members] : rooms_) std::erase(members, &connection);
  closed_.emplace_back(&connection);
}

void Server::read(Connection& connection) {
  while (connection.descriptor >= 0) {
    const std::size_t kept = connection.unread.size();
    std::memcpy(scratch_.data(), connection.unread.data(), kept);
    const ssize_t got = ::recv(connection.descriptor, scratch_.data() + kept, scratch_.size() - kept, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return close(connection);
    const std::size_t have = kept + static_cast<std::size_t>(got);
    const std::size_t used = consume(connection, scratch_.data(), have);
    connection.unread.assign(scratch_.data() + used, have - used);
    if (have < scratch_.size()) return;
  }
}

std::size_t Server::consume(Connection& connection, char* data, std::size_t size) {
  std::size_t used = 0;
  if (!connection.upgraded) {
    const auto end = std::string_view(data, size).find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    connection.upgraded = true;
    used = end + 4;
    static const std::string open =
        std::string(kUpgrade) +
        frame(1, R"(0{"sid":"raw","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
    queue(connection, std::make_shared<const std::string>(open));
  }
  while (size - used >= 6) {
    auto* head = reinterpret_cast<unsigned char*>(data + used);
    std::size_t length = head[1] & 0x7f, offset = 6;
    if (length == 126) length = static_cast<std::size_t>(head[2]) << 8 | head[3], offset = 8;
    if (size - used < offset + length) break;
    char* payload = data + used + offset;
    const char* mask = payload - 4;
    for (std::size_t i = 0; i < length; ++i) payload[i] ^= mask[i & 3];
    switch (head[0] & 0x0f) {
      case 1: on_message(connection, {payload, length}); break;
      case 2: on_binary({payload, length}); break;
      default: close(connection); return size;
    }
    used += offset + length;
  }
  return used;
}

void Server::on_message(Connection& connection, std::string_view text) {
  const auto room_in = [](std::string_view from, std::string_view before) {
    const auto begin = from.find(before) + before.size();
    return std::string(from.substr(begin, from.find('"', begin) - begin));
  };
  if (text == "40") {
    queue(connection, std::make_shared<const std::string>(frame(1, R"(40{"sid":"raw"})")));
    return;
  }
  const auto list = text.find('[');
  if (list == std::string_view::npos) return;
  const std::string_view event = text.substr(list);
  const std::string id(text.substr(2, list - 2));
  if (event.starts_with("[\"join\",")) {
    rooms_[room_in(event, "\"join\",\"")].push_back(&connection);
    queue(connection, std::make_shared<const std::string>(frame(1, "43" + id + "[]")));
  } else if (event.starts_with("[\"echo\",")) {
    queue(connection, std::make_shared<const std::string>(frame(1, "43" + id + "[" + std::string(event.substr(8)))));
  } else if (event.starts_with("[\"publish\",")) {
    const auto shared =
        std::make_shared<const std::string>(frame(1, "42[\"broadcast_message\"," + std::string(event.substr(11))));
    for (Connection* member : rooms_[room_in(event, "\"room\":\"")]) queue(*member, shared);
  } else if (event.starts_with("[\"publish_binary\",")) {
    binary_room_ = room_in(event, "\"room\":\"");
  }
}

void Server::on_binary(std::string_view bytes) {
  const auto shared = std::make_shared<const std::string>(frame(1, "451-[\"broadcast_message\",{\"room\":\"" + binary_room_ +
                                                                       "\",\"message\":{\"_placeholder\":true,\"num\":0}}]") +
                                                          frame(2, bytes));
  for (Connection* member : rooms_[binary_room_]) queue(*member, shared);
}

void Server::queue(Connection& connection, Frame bytes) {
  connection.queue.push_back(std::move(bytes));
  if (!connection.dirty && !connection.blocked) dirty_.push_back(&connection), connection.dirty = true;
}

void Server::flush(Connection& connection) {
  auto& queue = connection.queue;
  std::size_t done = 0;
  while (done < queue.size()) {
    std::array<iovec, 64> parts;
    std::size_t count = 0;
    for (; count < parts.size() && done + count < queue.size(); ++count) {
      const std::string& bytes = *queue[done + count];
      const std::size_t skip = count == 0 ? connection.sent_of_first : 0;
      parts[count] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
    }
    ssize_t put = ::writev(connection.descriptor, parts.data(), static_cast<int>(count));
    if (put < 0 && errno != EAGAIN) return close(connection);
    if (put < 0) put = 0;
    std::size_t left = static_cast<std::size_t>(put) + connection.sent_of_first;
    while (done < queue.size() && left >= queue[done]->size()) left -= queue[done++]->size();
    connection.sent_of_first = left;
    if (done < queue.size() && (put == 0 || left > 0)) {
      connection.blocked = true;
      break;
    }
  }
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(done));
  if (queue.empty()) std::vector<Frame>().swap(queue);
}

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const char* port = std::getenv("PORT");
  Server(port != nullptr ? std::atoi(port) : 8000).run();
}
