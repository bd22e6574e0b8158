// What the chat knows of one connected socket: who it is, and until when its token lasts. Its shard only.
#pragma once

#include <memory>

#include "chat/auth/principal.hpp"
#include "payam/sio/socket.hpp"
#include "runtime/timer_wheel.hpp"

namespace payam::chat::api {

// Tells a flood of events from a busy client: so many at once, so many a second for long.
class FloodGuard {
 public:
  bool count(int events, SteadyTime now);  // false once there are too many

 private:
  static constexpr double kBurst = 5'000, kPerSecond = 500;

  double left_ = kBurst;
  SteadyTime at_{};
};

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
