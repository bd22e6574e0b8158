// A blocking client for tests that says exactly the bytes it is given. Every wait ends after kPatience.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "http/message.hpp"

namespace payam::http {

struct WireResponse {
  int status = 0;
  Headers headers;
  std::string body;

  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
};

class WireClient {
 public:
  static constexpr int kPatience = 10'000;  // milliseconds

  // `receive_buffer` bytes for a peer that reads slowly; 0: the system's choice. `from` is an address of loopback.
  explicit WireClient(std::uint16_t port, int receive_buffer = 0, const char* from = nullptr)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (from != nullptr) {
      ::inet_pton(AF_INET, from, &address.sin_addr);
      EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  // Speaks on a socket that is connected already.
  explicit WireClient(Descriptor connected) : fd_(connected.release()) {}
  ~WireClient() { close(); }
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  int descriptor() const { return fd_; }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void finish_writing() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

  // False if the peer no longer takes it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  void send_bytewise(std::string_view bytes) {
    for (const char c : bytes) ASSERT_TRUE(send({&c, 1}));
  }

  // Up to `most` more bytes into the buffer; false at the end of the connection or of patience.
  bool receive(std::size_t most = 65536) {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, kPatience) != 1) {
      timed_out_ = true;
      return false;
    }
    std::string piece(most, '\0');
    const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffer_.append(piece, 0, static_cast<std::size_t>(got));
    return true;
  }

  // The next response; status 0 if the connection ended first.
  WireResponse response(bool head_only = false) {
    WireResponse result;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return result;
    }
    std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    result.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
      const auto line_end = head.find("\r\n", at);
      const auto colon = head.find(": ", at);
      result.headers.add(head.substr(at, colon - at), head.substr(colon + 2, line_end - colon - 2));
      at = line_end + 2;
    }
    const auto length = result.headers.find("Content-Length");
    const std::size_t wanted = length && !head_only ? std::stoul(std::string(*length)) : 0;
    while (buffer_.size() < wanted && receive()) {
    }
    result.body = buffer_.substr(0, wanted);
    buffer_.erase(0, wanted);
    return result;
  }

  // Everything until the peer closes; nullopt if it does not.
  std::optional<std::string> rest() {
    while (receive()) {
    }
    if (timed_out_) return std::nullopt;
    return std::exchange(buffer_, {});
  }

 private:
  int fd_;
  std::string buffer_;
  bool timed_out_ = false;
};

}  // namespace payam::http
