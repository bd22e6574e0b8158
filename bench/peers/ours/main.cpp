// Our library with the application of the comparison (bench/README.md). Environment: PORT, SHARDS (1), PING_INTERVAL in
// milliseconds, MAX_BUFFERED_BYTES a connection.
#include <sys/resource.h>

#include <boost/describe/class.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/server/server.hpp"
#include "payam/sio/server.hpp"
#include "runtime/shard_set.hpp"

namespace {

using namespace payam;

long setting(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtol(text, nullptr, 10) : otherwise;
}

struct Message {
  std::string room;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (room, message))

struct BinaryMessage {
  std::string room;
  sio::Binary message;
};
BOOST_DESCRIBE_STRUCT(BinaryMessage, (), (room, message))

void serve(sio::Server& io) {
  io.on_event("join", [](const sio::SocketPtr& socket, const std::string& room) {
    socket->join(room);
    return true;
  });
  io.on_event("publish",
              [&io](const sio::SocketPtr&, const Message& message) { io.to(message.room).emit("broadcast_message", message); });
  io.on_event("publish_binary", [&io](const sio::SocketPtr&, const BinaryMessage& message) {
    io.to(message.room).emit("broadcast_message", message);
  });
  io.on_event("echo", [](const sio::SocketPtr&, sio::json::value data) { return data; });
}

}  // namespace

int main() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  ShardSet shards(static_cast<int>(setting("SHARDS", 1)));
  std::vector<Shard*> all;
  for (int i = 0; i < shards.size(); ++i) all.push_back(&shards[i]);

  sio::Options options;
  options.ping_interval = Millis(setting("PING_INTERVAL", 25'000));
  options.max_buffered_bytes = static_cast<std::size_t>(setting("MAX_BUFFERED_BYTES", 4 << 20));
  sio::Server io(all, options);
  serve(io);

  http::ServerOptions http_options;
  http_options.port = static_cast<std::uint16_t>(setting("PORT", 8000));
  http_options.limits.connections.total = 20'000;
  http::Router router;
  io.attach(router);
  http::Server server(all, std::move(router), http_options);
  server.start();
  std::printf("listening on %u\n", server.port());
  std::fflush(stdout);
  shards.join();
}
