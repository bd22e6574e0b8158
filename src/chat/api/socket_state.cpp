#include "chat/api/socket_state.hpp"

#include <algorithm>
#include <chrono>

#include "chat/api/realtime_events.hpp"
#include "runtime/shard.hpp"

namespace payam::chat::api {

SocketState::SocketState(const sio::SocketPtr& socket, Principal principal, Millis grace)
    : socket_(socket), principal_(std::move(principal)), grace_(grace) {}

void SocketState::watch() {
  told_ = false;
  start_timer(std::max(principal_.expires_at - wall_now(), Millis(0)));
}

void SocketState::renew(Principal principal) {
  principal_ = std::move(principal);
  watch();
}

void SocketState::start_timer(Millis delay) {
  if (const auto socket = socket_.lock()) socket->shard().start_timer(timer_, delay);
}

void SocketState::on_timer() {
  const auto socket = socket_.lock();
  if (!socket) return;
  if (told_) return socket->disconnect(true);
  // A long delay is cut by the wheel, and the clock may have been set.
  if (principal_.expires_at > wall_now()) return watch();
  told_ = true;
  socket->emit(TokenExpired::kName);
  start_timer(grace_);
}

std::shared_ptr<SocketState> socket_state(sio::Socket& socket) { return socket.data<std::shared_ptr<SocketState>>(); }

}  // namespace payam::chat::api
