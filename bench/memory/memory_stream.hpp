// A Stream without a socket: what the server writes goes to a MemoryPeer, what the peer delivers is read from a string. It
// shows the server exactly what a socket would (readiness once, from the loop) and counts what would have been system calls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/stream.hpp"

namespace payam::bench {

class MemoryStream;

// The other ends of many streams.
class MemoryPeer {
 public:
  // One gathered write of the server, valid during the call. deliver() may be called inside.
  virtual void on_write(MemoryStream& stream, std::span<const iovec> pieces) = 0;
  virtual void on_close(MemoryStream&) {}

 protected:
  ~MemoryPeer() = default;
};

class MemoryStream final : public Stream {
 public:
  // `peer` outlives the stream; `index` is the peer's name for it.
  MemoryStream(Shard& shard, MemoryPeer& peer, std::uint32_t index) : Stream(shard), peer_(peer), index_(index) {}

  std::uint32_t index() const { return index_; }

  // Bytes from the peer.
  void deliver(std::string_view bytes);
  // While it is off every write would block, as with a peer that does not read.
  void set_writable(bool on);

  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const iovec> from) override;
  void want_read() override;
  void want_write() override;
  void finish_writing() override {}
  void close() override;
  void abort() override { close(); }
  bool is_open() const override { return open_; }
  asio::ip::address peer() const override { return asio::ip::address_v4::loopback(); }

 private:
  void wake(bool& pending, bool& wanted, void (StreamHandler::*ready)());

  MemoryPeer& peer_;
  std::string incoming_;  // not yet read
  const std::uint32_t index_;
  bool open_ = true;
  bool writable_ = true;
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool read_posted_ = false;
  bool write_posted_ = false;
};

}  // namespace payam::bench
