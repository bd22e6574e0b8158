// TLS over TCP (RFC 8446, RFC 5246) with OpenSSL. Plaintext goes in and out by SSL_read and SSL_write; ciphertext is read by
// OpenSSL from the descriptor itself, and written through a BIO of our own that never refuses: what the kernel does not take
// waits in `cipher_`, and until that is gone write() says would_block. So OpenSSL never has to repeat a write, and at most
// one call's ciphertext is held.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "runtime/socket_stream.hpp"
#include "runtime/stream.hpp"
#include "runtime/tls.hpp"

namespace payam {
namespace {

constexpr std::size_t kRecord = 16 * 1024;      // plaintext in one TLS record
constexpr std::size_t kMaxTurn = 16 * kRecord;  // plaintext taken by one write()
constexpr Millis kCloseTime{5'000};             // for the last ciphertext to leave

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, FreeSsl>;

class TlsStream final : public SocketStream {
 public:
  TlsStream(Shard& shard, Descriptor socket, const TlsContext& context)
      : SocketStream(shard, std::move(socket)), ssl_(SSL_new(context.native())) {
    BIO* const in = BIO_new_socket(native(), BIO_NOCLOSE);
    BIO* const out = BIO_new(writing());
    if (!ssl_ || in == nullptr || out == nullptr) {
      BIO_free(in);
      BIO_free(out);
      throw std::bad_alloc();
    }
    BIO_set_data(out, this);
    BIO_set_init(out, 1);
    SSL_set_bio(ssl_.get(), in, out);
    SSL_set_accept_state(ssl_.get());
  }

  // Another stream's connection, on its new shard.
  TlsStream(Shard& shard, Descriptor socket, SslPointer ssl) : SocketStream(shard, std::move(socket)), ssl_(std::move(ssl)) {
    BIO_set_data(SSL_get_wbio(ssl_.get()), this);
  }

  bool secure() const override { return true; }

  IoResult read(std::span<char> into) override {
    if (!is_open()) return {IoStatus::error, 0};
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
    wait_for_cipher();
    if (got > 0) return {IoStatus::ok, static_cast<std::size_t>(got)};
    switch (SSL_get_error(ssl_.get(), got)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return {IoStatus::would_block, 0};
      case SSL_ERROR_ZERO_RETURN: return {IoStatus::end, 0};
      default: return failed();
    }
  }

  IoResult write(std::span<const iovec> from) override {
    if (!is_open()) return {IoStatus::error, 0};
    if (!cipher_.empty()) return {IoStatus::would_block, 0};
    std::array<char, kRecord> record;
    std::size_t taken = 0;
    std::size_t piece = 0, at = 0;  // where in `from`
    while (cipher_.empty() && taken < kMaxTurn) {
      std::size_t filled = 0;
      while (piece < from.size() && filled < record.size()) {
        const auto part = std::min(from[piece].iov_len - at, record.size() - filled);
        std::memcpy(record.data() + filled, static_cast<const char*>(from[piece].iov_base) + at, part);
        filled += part;
        at += part;
        if (at == from[piece].iov_len) {
          ++piece;
          at = 0;
        }
      }
      if (filled == 0) break;
      ERR_clear_error();
      if (SSL_write(ssl_.get(), record.data(), static_cast<int>(filled)) <= 0) return failed();
      taken += filled;
    }
    wait_for_cipher();
    return {IoStatus::ok, taken};
  }

  void want_read() override {
    if (!is_open()) return;
    // What OpenSSL has already decrypted is not seen by waiting on the socket.
    if (SSL_pending(ssl_.get()) == 0) return wait(Poller::kReadable);
    if (std::exchange(read_posted_, true)) return;
    shard_.post([self = std::static_pointer_cast<TlsStream>(shared_from_this())] {
      self->read_posted_ = false;
      self->readable();
    });
  }

  void want_write() override {
    if (!is_open()) return;
    wanting_write_ = true;
    wait(Poller::kWritable);
  }

  void finish_writing() override {
    if (!is_open() || finishing_) return;
    finishing_ = true;
    say_goodbye();
    if (cipher_.empty()) shut_down();
  }

  std::shared_ptr<Stream> move_to(Shard& shard) override {
    if (!is_open() || !cipher_.empty()) return nullptr;
    handler_ = nullptr;
    closed_ = true;
    auto stream = std::make_shared<TlsStream>(shard, release_socket(), std::move(ssl_));
    stream->hold(release_held());
    return stream;
  }

  void close() override {
    handler_ = nullptr;
    if (std::exchange(closed_, true)) return;
    if (!finishing_) say_goodbye();
    // The last words may still be here.
    if (cipher_.empty() || !poller().keep(shared_from_this())) return end();
    shard_.start_timer(close_timer_, kCloseTime);
    wait_for_cipher();
  }

  void abort() override {
    handler_ = nullptr;
    closed_ = true;
    if (has_socket()) reset_socket();
    end();
  }

  bool is_open() const override { return !closed_; }

 private:
  IoResult failed() {
    broken_ = true;  // nothing more may be written by OpenSSL
    return {IoStatus::error, 0};
  }

  // The BIO below OpenSSL's writing.
  static const BIO_METHOD* writing() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "payam stream");
      BIO_meth_set_write_ex(made, [](BIO* bio, const char* data, std::size_t size, std::size_t* written) {
        static_cast<TlsStream*>(BIO_get_data(bio))->send({data, size});
        *written = size;
        return 1;
      });
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
      return made;
    }();
    return method;
  }

  void send(std::string_view data) {
    if (cipher_.empty()) data.remove_prefix(send_now(data));
    cipher_.append(data);
  }

  // What the kernel took. An error is left for the next read to find.
  std::size_t send_now(std::string_view data) {
    std::size_t sent = 0;
    while (sent < data.size()) {
      const ssize_t put = ::send(native(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
      if (put >= 0) {
        sent += static_cast<std::size_t>(put);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        break;
      } else if (errno != EINTR) {
        broken_ = true;
        return data.size();
      }
    }
    return sent;
  }

  void wait_for_cipher() {
    if (!cipher_.empty()) wait(Poller::kWritable);
  }

  void readable() override {
    if (handler_ != nullptr) handler_->on_readable();
  }

  void writable() override {
    cipher_.erase(0, send_now(cipher_));
    if (!cipher_.empty()) return wait_for_cipher();
    cipher_ = std::string();
    if (closed_) return end();
    if (finishing_) shut_down();
    if (std::exchange(wanting_write_, false) && handler_ != nullptr) handler_->on_writable();
  }

  void say_goodbye() {
    if (broken_ || !SSL_is_init_finished(ssl_.get())) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }

  // May be the end of this, too.
  void end() {
    close_timer_.cancel();
    cipher_ = std::string();
    close_socket();
    poller().let_go(static_cast<Stream*>(this));
  }

  SslPointer ssl_;
  std::string cipher_;
  bool read_posted_ = false;
  bool wanting_write_ = false;
  bool finishing_ = false;
  bool closed_ = false;
  bool broken_ = false;
  MemberTimer<&TlsStream::end> close_timer_{*this};
};

}  // namespace

std::shared_ptr<Stream> Stream::tls(Shard& shard, Descriptor socket, const TlsContext& context) {
  set_no_delay(socket);
  return std::make_shared<TlsStream>(shard, std::move(socket), context);
}

}  // namespace payam
