#include "conformance/socketio_servers.hpp"

namespace payam::conformance {

std::unique_ptr<sio::Server> make_socketio_server(std::vector<Shard*> shards) {
  sio::Options options;
  options.ping_interval = Millis(300);
  options.ping_timeout = Millis(200);
  options.max_http_buffer_size = 1'000'000;
  options.connect_timeout = Millis(1'000);
  options.cors = sio::Cors{.origins = {"*"}};
  auto io = std::make_unique<sio::Server>(std::move(shards), std::move(options));

  io->on_connection([](sio::SocketPtr socket) {
    socket->emit("auth", socket->handshake().auth);
    socket->on("message", [socket](sio::Arguments all) { socket->emit("message-back", all); });
    socket->on("message-with-ack", [](sio::Arguments all, sio::Ack ack) { ack(all); });
  });
  io->of("/custom").on_connection([](sio::SocketPtr socket) { socket->emit("auth", socket->handshake().auth); });
  return io;
}

}  // namespace payam::conformance
