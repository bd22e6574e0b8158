// A connected byte stream on a shard: TCP, or TLS over it. Non-blocking: reads and writes say when they would block, and
// the handler is then called once when it is worth trying again. An idle stream owns no buffer.
#pragma once

#include <sys/uio.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <span>

#include "base/descriptor.hpp"
#include "base/prefetch.hpp"
#include "runtime/shard.hpp"

namespace payam {

class TlsContext;

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// The owner of a stream. It detaches (Stream::close or attach(nullptr)) before it dies.
class StreamHandler {
 public:
  virtual void on_readable() = 0;  // data, end or error: read() tells
  virtual void on_writable() = 0;

 protected:
  ~StreamHandler() = default;
};

enum class IoStatus { ok, would_block, end, error };  // `end`: the peer has finished sending

struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;  // moved; may be positive only with `ok`
};

// Lives on its shard's thread.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  // Takes a connected TCP socket over, which is non-blocking already. `shard` outlives every call to the stream.
  static std::shared_ptr<Stream> plain(Shard& shard, Descriptor socket);
  static std::shared_ptr<Stream> plain(Shard& shard, TcpSocket socket);
  // The same, as the server's side of TLS. The handshake happens in read(); who owns the stream limits its time. The
  // context is kept by the stream.
  static std::shared_ptr<Stream> tls(Shard& shard, Descriptor socket, const TlsContext& context);

  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Shard& shard() { return shard_; }
  // The peer's address without port, `127.0.0.1`, `::1` (IPv4-mapped addresses as IPv4); the unspecified one when it has gone.
  // Asks the kernel each time: an idle stream does not remember it.
  virtual asio::ip::address peer() const = 0;
  virtual bool secure() const { return false; }

  void attach(StreamHandler* handler) { handler_ = handler; }

  virtual IoResult read(std::span<char> into) = 0;
  virtual IoResult write(std::span<const iovec> from) = 0;
  // Into the processor's cache, what write() reads.
  void fetch() const { prefetch(this, sizeof(*this) + 32); }

  // Calls on_readable()/on_writable() once, from the loop, never inside this call. Asking again while one is pending does
  // nothing.
  virtual void want_read() = 0;
  virtual void want_write() = 0;

  // Tells the peer that nothing more will be written; reading goes on. For who must end a connection and wants its last words
  // read: closing at once while the peer still sends would reset it.
  virtual void finish_writing() = 0;

  // Gives the connection to another shard, where the result then lives; this stream is closed. Called on the old shard with
  // nothing read but not handled. nullptr if this kind of stream cannot move: then nothing has changed.
  virtual std::shared_ptr<Stream> move_to(Shard& shard);

  // Detaches the handler and closes at once; what the kernel has taken is still sent. Idempotent.
  virtual void close() = 0;
  // Resets the connection: the peer must not wait for a dead session.
  virtual void abort() = 0;
  virtual bool is_open() const = 0;

  // Kept for as long as the connection, through move_to(): the server's count of it.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  void hold(std::unique_ptr<Hold> what) { held_ = std::move(what); }

 protected:
  explicit Stream(Shard& shard) : shard_(shard) {}

  std::unique_ptr<Hold> release_held() { return std::move(held_); }

  Shard& shard_;
  StreamHandler* handler_ = nullptr;

 private:
  std::unique_ptr<Hold> held_;
};

}  // namespace payam
