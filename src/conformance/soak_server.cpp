#include "conformance/soak_server.hpp"

#include <malloc.h>

#include <boost/json/serialize.hpp>

namespace payam::conformance {

std::unique_ptr<sio::Server> make_soak_server(std::vector<Shard*> shards) {
  sio::Options options;
  options.path = "/soak/";
  options.ping_interval = Millis(2'000);
  options.ping_timeout = Millis(1'000);
  options.upgrade_timeout = Millis(1'000);
  options.close_timeout = Millis(500);
  options.connect_timeout = Millis(2'000);
  options.max_http_buffer_size = 1'000'000;
  options.allow_eio3 = true;
  options.permessage_deflate.emplace();
  options.connection_state_recovery.emplace();
  options.connection_state_recovery->max_disconnection_duration = Millis(500);
  auto io = std::make_unique<sio::Server>(std::move(shards), std::move(options));

  io->on_connection([](sio::SocketPtr socket) -> Task<> {
    socket->join("everyone");
    socket->join("room of " + socket->id());
    socket->on("message", [socket](sio::Arguments all) { socket->emit("message", all); });
    // Waits for a client that has perhaps gone.
    co_await socket->timeout(Millis(1'000)).emit_with_ack<sio::json::value>("are you there");
  });
  io->on_disconnect(
      [](const sio::SocketPtr& socket, sio::DisconnectReason) { socket->to("nobody").emit("gone", socket->id()); });
  return io;
}

void add_soak_state(http::Router& router, const sio::Server& server) {
  router.add(http::Method::get, "/soak-state", [&server](Shard&, http::Request&) -> Task<http::Response> {
    const sio::Counters counters = server.counters();
    const struct mallinfo2 heap = mallinfo2();
    const sio::json::object state{{"memory", heap.uordblks + heap.hblkhd}, {"connections", counters.connections_open},
                                  {"opened", counters.connections_opened}, {"sockets", counters.sockets_open},
                                  {"kept", counters.sessions_kept},        {"queued", counters.bytes_queued}};
    auto response = http::Response::json(200, sio::json::serialize(state));
    response.close = true;
    co_return response;
  });
}

}  // namespace payam::conformance
