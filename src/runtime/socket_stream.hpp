// What the plain and the TLS stream do with a socket alike. Private to this folder.
#pragma once

#include <cstdint>
#include <memory>

#include "base/descriptor.hpp"
#include "runtime/poller.hpp"
#include "runtime/stream.hpp"

namespace payam {

// Of a connected socket, without port; IPv4-mapped addresses as IPv4; the unspecified address if the peer has gone.
asio::ip::address peer_of(const Descriptor& socket);
// Small writes go out at once (TCP_NODELAY).
void set_no_delay(const Descriptor& socket);

class SocketStream : public Stream, private Poller::Entry {
 public:
  SocketStream(Shard& shard, Descriptor socket);
  ~SocketStream() override { close_socket(); }

  asio::ip::address peer() const final { return peer_of(descriptor()); }

 protected:
  int native() const { return descriptor().get(); }
  bool has_socket() const { return descriptor().is_open(); }
  Poller& poller() { return *poller_; }

  // Calls readable() or writable() once, from the loop.
  void wait(std::uint32_t what) { poller_->want(*this, what); }
  virtual void readable() = 0;
  virtual void writable() = 0;

  void shut_down();     // for writing
  void close_socket();  // what the kernel has taken is still sent
  void reset_socket();
  Descriptor release_socket();

 private:
  void on_ready(std::uint32_t what) final;

  const std::shared_ptr<Poller> poller_;
};

}  // namespace payam
