// What the chat knows of one connected socket: who it is, and until when its token lasts. Its shard only.
#pragma once

#include <memory>

#include "chat/auth/principal.hpp"
#include "chat/service/limits.hpp"
#include "payam/sio/socket.hpp"
#include "runtime/timer_wheel.hpp"

namespace payam::chat::api {

class SocketState {
 public:
  // `grace`: how long a client may take to authenticate anew.
  SocketState(const sio::SocketPtr& socket, Principal principal, Millis grace);

  const Principal& principal() const { return principal_; }

  // Begins to watch the token's end: the client is told `token_expired`, and disconnected unless it authenticates anew in time.
  void watch();
  // A new token of the same user.
  void renew(Principal principal);
  void stop() { timer_.cancel(); }

  bool online = false;  // counted by the presence service
  FloodGuard flood;
  std::uint64_t events = 0;  // received, of those that are known

 private:
  void start_timer(Millis delay);
  void on_timer();

  std::weak_ptr<sio::Socket> socket_;
  Principal principal_;
  const Millis grace_;
  bool told_ = false;
  MemberTimer<&SocketState::on_timer> timer_{*this};
};

// Null before the socket was admitted.
std::shared_ptr<SocketState> socket_state(sio::Socket& socket);

}  // namespace payam::chat::api
