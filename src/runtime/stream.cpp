#include "runtime/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "runtime/socket_stream.hpp"

namespace payam {
namespace {

class PlainStream final : public SocketStream {
 public:
  using SocketStream::SocketStream;

  IoResult read(std::span<char> into) override {
    for (;;) {
      const ssize_t got = ::recv(native(), into.data(), into.size(), 0);
      if (got > 0) return {IoStatus::ok, static_cast<std::size_t>(got)};
      if (got == 0) return {IoStatus::end, 0};
      if (errno != EINTR) return failed();
    }
  }

  IoResult write(std::span<const iovec> from) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    for (;;) {
      // Most writes are of one piece, for which the kernel has less to do.
      const ssize_t put = from.size() == 1 ? ::send(native(), from[0].iov_base, from[0].iov_len, MSG_NOSIGNAL)
                                           : ::sendmsg(native(), &message, MSG_NOSIGNAL);
      if (put >= 0) return {IoStatus::ok, static_cast<std::size_t>(put)};
      if (errno != EINTR) return failed();
    }
  }

  void want_read() override {
    if (is_open()) wait(Poller::kReadable);
  }
  void want_write() override {
    if (is_open()) wait(Poller::kWritable);
  }

  void finish_writing() override { shut_down(); }

  std::shared_ptr<Stream> move_to(Shard& shard) override {
    if (!is_open()) return nullptr;
    handler_ = nullptr;
    auto stream = std::make_shared<PlainStream>(shard, release_socket());
    stream->hold(release_held());
    return stream;
  }

  void close() override {
    handler_ = nullptr;
    close_socket();
  }

  void abort() override {
    handler_ = nullptr;
    if (is_open()) reset_socket();
  }

  bool is_open() const override { return has_socket(); }

 private:
  static IoResult failed() { return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::would_block : IoStatus::error, 0}; }

  void readable() override {
    if (handler_ != nullptr) handler_->on_readable();
  }
  void writable() override {
    if (handler_ != nullptr) handler_->on_writable();
  }
};

}  // namespace

std::shared_ptr<Stream> Stream::move_to(Shard&) { return nullptr; }

std::shared_ptr<Stream> Stream::plain(Shard& shard, Descriptor socket) {
  set_no_delay(socket);
  return std::make_shared<PlainStream>(shard, std::move(socket));
}

std::shared_ptr<Stream> Stream::plain(Shard& shard, TcpSocket socket) {
  socket.native_non_blocking(true);
  return plain(shard, Descriptor(socket.release()));
}

}  // namespace payam
