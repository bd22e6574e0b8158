#include "runtime/stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/socket.hpp"

namespace payam {

asio::ip::address peer_of(const TcpSocket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return {};
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

void make_ready(TcpSocket& socket) {
  boost::system::error_code ignored;
  socket.native_non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

std::optional<TcpSocket> move_socket(TcpSocket& socket, Shard& shard) {
  boost::system::error_code error;
  const auto protocol = socket.local_endpoint(error).protocol();
  if (error) return std::nullopt;
  const int descriptor = socket.release(error);
  if (error) return std::nullopt;
  TcpSocket moved(shard.executor());
  moved.assign(protocol, descriptor, error);
  if (error) ::close(descriptor);
  return moved;
}

namespace {

// Asio is only the reactor here: it tells readiness, the system calls are made directly.
class PlainStream final : public Stream {
 public:
  PlainStream(Shard& shard, TcpSocket socket) : Stream(shard, peer_of(socket)), socket_(std::move(socket)) {
    make_ready(socket_);
  }

  IoResult read(std::span<char> into) override {
    for (;;) {
      const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
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
      const ssize_t put = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
      if (put >= 0) return {IoStatus::ok, static_cast<std::size_t>(put)};
      if (errno != EINTR) return failed();
    }
  }

  void want_read() override { wait(TcpSocket::wait_read, waiting_read_, &StreamHandler::on_readable); }
  void want_write() override { wait(TcpSocket::wait_write, waiting_write_, &StreamHandler::on_writable); }

  void finish_writing() override {
    boost::system::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  }

  std::shared_ptr<Stream> move_to(Shard& shard) override {
    auto moved = move_socket(socket_, shard);
    if (!moved) return nullptr;
    handler_ = nullptr;
    auto stream = std::make_shared<PlainStream>(shard, std::move(*moved));
    stream->hold(release_held());
    return stream;
  }

  void close() override {
    handler_ = nullptr;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  void abort() override {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  bool is_open() const override { return socket_.is_open(); }

 private:
  static IoResult failed() { return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::would_block : IoStatus::error, 0}; }

  void wait(TcpSocket::wait_type what, bool& waiting, void (StreamHandler::*ready)()) {
    if (waiting || !socket_.is_open()) return;
    waiting = true;
    socket_.async_wait(what, [self = std::static_pointer_cast<PlainStream>(shared_from_this()), &waiting,
                              ready](boost::system::error_code error) {
      waiting = false;
      if (error != asio::error::operation_aborted && self->handler_ != nullptr) (self->handler_->*ready)();
    });
  }

  TcpSocket socket_;
  bool waiting_read_ = false;
  bool waiting_write_ = false;
};

}  // namespace

std::shared_ptr<Stream> Stream::move_to(Shard&) { return nullptr; }

std::shared_ptr<Stream> Stream::plain(Shard& shard, TcpSocket socket) {
  return std::make_shared<PlainStream>(shard, std::move(socket));
}

}  // namespace payam
