// sio-features: a server with a handler for each feature of the library, for the tests with real clients. One port, several
// servers: /socket.io/ (everything), /recovery/ (connection state recovery), /msgpack/ (that parser), /tight/ (small limits),
// /v2/ (clients of Socket.IO v2 and compression).
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "http/server/server.hpp"
#include "payam/sio/server.hpp"
#include "runtime/shard_set.hpp"

using namespace std::chrono_literals;
using payam::Millis;
using payam::Task;
using namespace payam::sio;  // NOLINT: a test program

// What a client wants sent to others.
struct Shout {
  std::string event;
  json::array args;
  std::vector<std::string> to;
  std::vector<std::string> except;
  std::optional<bool> from_server;  // else from the socket, which is left out
  std::optional<bool> is_volatile;
};
BOOST_DESCRIBE_STRUCT(Shout, (), (event, args, to, except, from_server, is_volatile))

struct Person {
  std::string name;
  std::optional<int> age;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name, age))

namespace {

void shout(Server& io, const SocketPtr& socket, const Shout& what) {
  BroadcastOperator to = what.from_server.value_or(false) ? io.to(what.to) : socket->to(what.to);
  to = to.except(what.except);
  if (what.is_volatile.value_or(false)) to = to.volatile_();
  Arguments arguments;
  arguments.values = what.args;
  to.emit_arguments(what.event, std::move(arguments));
}

void add_features(Server& io) {
  io.on_event("echo", [](SocketPtr socket, Arguments all) { socket->emit("echo", all); });
  io.on_event("echo-ack", [](Arguments all, Ack ack) { ack(all); });
  io.on_event("join", [](SocketPtr socket, std::vector<std::string> rooms, Ack ack) {
    socket->join(rooms);
    ack(socket->rooms());
  });
  io.on_event("leave", [](SocketPtr socket, std::vector<std::string> rooms, Ack ack) {
    socket->leave(rooms);
    ack(socket->rooms());
  });
  io.on_event("shout", [&io](SocketPtr socket, Shout what, Ack ack) {
    shout(io, socket, what);
    ack();
  });
  io.on_event("greet", [](SocketPtr, Person person) -> Task<std::string> { co_return "salaam, " + person.name; });
  io.on_event("ask me", [](SocketPtr socket, int timeout, Ack ack) -> Task<> {
    auto reply = co_await socket->timeout(Millis(timeout)).emit_with_ack<Arguments>("question", "why");
    if (reply) {
      reply->values.insert(reply->values.begin(), "reply");
      ack(*reply);
    } else {
      ack(reply.error().kind == AckError::Kind::timed_out ? "timed out" : "gone");
    }
  });
  io.on_event("ask all", [&io](SocketPtr, std::vector<std::string> rooms, int timeout, Ack ack) -> Task<> {
    const auto replies = co_await io.to(rooms).timeout(Millis(timeout)).emit_with_ack<json::value>("question", "all");
    json::array values(replies.replies.begin(), replies.replies.end());
    ack(values, replies.expected, replies.timed_out);
  });
  io.on_event("fetch", [&io](SocketPtr, std::vector<std::string> rooms) -> Task<std::vector<std::string>> {
    std::vector<std::string> ids;
    for (const RemoteSocket& socket : co_await io.to(rooms).fetch_sockets()) ids.push_back(socket.id);
    co_return ids;
  });
  io.on_event("move all", [&io](SocketPtr, std::string from, std::string to, Ack ack) {
    io.in(from).sockets_join(to);
    io.in(from).sockets_leave(from);
    ack();
  });
  io.on_event("end all", [&io](SocketPtr, std::string room, bool close) { io.in(room).disconnect_sockets(close); });
  io.on_event("end me", [](SocketPtr socket, bool close) { socket->disconnect(close); });
  io.on_event("burst", [](SocketPtr socket, int count, int bytes, Ack ack) {
    const std::string text(static_cast<std::size_t>(bytes), 'x');
    const std::size_t before = socket->conn().buffered_bytes();
    for (int i = 0; i < count && socket->connected(); ++i) socket->emit("burst", i, text);
    ack(before, socket->conn().buffered_bytes());
  });
  io.on_event("counters", [&io](SocketPtr, Ack ack) {
    const Counters counters = io.counters();
    ack(json::object{{"sockets_open", counters.sockets_open},
                     {"connections_open", counters.connections_open},
                     {"bytes_queued", counters.bytes_queued},
                     {"volatile_dropped", counters.volatile_dropped},
                     {"sessions_kept", counters.sessions_kept}});
  });
  io.on_event("throw", [](SocketPtr) { throw std::runtime_error("on purpose"); });
  io.use_event([](Event& event) -> Verdict {
    return event.name == "forbidden" ? Verdict(Refusal{"not allowed", {{"event", event.name}}}) : std::nullopt;
  });
  io.on_error([](const SocketPtr& socket, const EventError& error, const Ack& ack) {
    const json::object details{{"event", error.event}, {"message", error.message}, {"data", error.data}};
    ack ? ack(details) : socket->emit("failed", details);
  });
  // Told to whoever is left in the rooms.
  io.on_disconnecting([](const SocketPtr& socket, DisconnectReason reason) {
    socket->to(socket->rooms()).emit("left", socket->id(), to_string(reason));
  });
  io.on_connection([](SocketPtr socket) {
    socket->emit("welcome", json::object{{"auth", socket->handshake().auth},
                                         {"recovered", socket->recovered()},
                                         {"transport", socket->conn().transport()},
                                         {"query", std::string(socket->handshake().query("who").value_or(""))}});
  });
}

void add_namespaces(Server& io) {
  io.of("/guarded").use([](SocketPtr socket) -> Task<Verdict> {
    if (socket->handshake().auth.contains("token")) co_return std::nullopt;
    co_return Refusal{"Not authorized", {{"code", "unauthorized"}}};
  });
  auto dynamic = io.of_pattern(R"(^/dynamic-\d+$)");
  dynamic.on_connection([](SocketPtr socket) { socket->emit("welcome", socket->nsp().name()); });
  dynamic.on_event("echo", [](SocketPtr socket, Arguments all) { socket->emit("echo", all); });
}

Options base_options(std::string path) {
  Options options;
  options.path = std::move(path);
  options.cors = Cors{.origins = {"*"}};
  options.on_exception = [](std::string_view, const std::exception&) {};  // thrown on purpose
  return options;
}

int run(std::uint16_t port, int threads) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  payam::ShardSet shard_set(threads);
  std::vector<payam::Shard*> shards;
  for (int i = 0; i < shard_set.size(); ++i) shards.push_back(&shard_set[i]);

  Options plain = base_options("/socket.io/");
  plain.cleanup_empty_child_namespaces = true;
  Options recovery = base_options("/recovery/");
  recovery.connection_state_recovery.emplace();
  Options msgpack = base_options("/msgpack/");
  msgpack.parser = Parser::msgpack;
  Options tight = base_options("/tight/");
  tight.max_buffered_bytes = 256 * 1024;
  tight.max_http_buffer_size = 10'000;
  Options v2 = base_options("/v2/");
  v2.allow_eio3 = true;
  v2.permessage_deflate.emplace();
  v2.ping_interval = Millis(300);
  v2.ping_timeout = Millis(1'000);

  payam::http::Router router;
  std::vector<std::unique_ptr<Server>> servers;
  for (Options* options : {&plain, &recovery, &msgpack, &tight, &v2}) {
    auto& io = *servers.emplace_back(std::make_unique<Server>(shards, std::move(*options)));
    add_features(io);
    add_namespaces(io);
    io.attach(router);
  }
  payam::http::ServerOptions http_options;
  http_options.port = port;
  payam::http::Server http(shards, std::move(router), std::move(http_options));
  http.start();
  fmt::print("listening on 127.0.0.1:{}\n", http.port());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  http.stop();
  for (auto& io : servers) io->close();
  http.wait(5s);
  for (auto& io : servers) io->wait(5s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The features of Payam's Socket.IO server, for tests with real clients");
  std::uint16_t port = 3000;
  int threads = 2;
  app.add_option("--port", port, "port to listen on, 0 for any")->capture_default_str();
  app.add_option("--threads", threads, "threads that serve connections")->capture_default_str()->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  try {
    return run(port, threads);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sio-features: {}\n", error.what());
    return 1;
  }
}
