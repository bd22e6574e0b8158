// The Socket.IO library alone: an echo server with a room, in one page.
//
//   build/release/sio-echo 3000
//
//   const socket = io("http://127.0.0.1:3000");                   // npm's socket.io-client
//   socket.emit("echo", "salaam", (text) => console.log(text));   // "salaam"
//   socket.emit("say", { room: "lobby", text: "hello" });         // everyone in the lobby gets "said"
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "payam/sio/server.hpp"

using namespace std::chrono_literals;
namespace sio = payam::sio;
using payam::Task;

// What a client sends; checked before a handler is called.
struct Say {
  std::string room;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Say, (), (room, text))

int main(int argc, char** argv) {
  sio::Options options;
  options.cors = sio::Cors{.origins = {"*"}};
  sio::Server io(std::move(options));  // threads of its own, one a processor

  // Before a socket connects: plain function or coroutine; a refusal is the client's `connect_error`.
  io.use([](sio::SocketPtr socket) -> sio::Verdict {
    if (socket->handshake().auth.contains("banned")) return sio::Refusal{"go away", {{"code", 403}}};
    return std::nullopt;
  });

  // One handler for every socket. What it returns is the acknowledgement.
  io.on_event("echo", [](sio::SocketPtr, std::string text) { return text; });
  io.on_event("say", [](sio::SocketPtr socket, Say say) {
    socket->join(say.room);
    socket->nsp().to(say.room).emit("said", socket->id(), say.text);
  });
  io.on_error([](const sio::SocketPtr& socket, const sio::EventError& error, const sio::Ack&) {
    socket->emit("mistake", error.event, error.message);
  });

  // Or a handler for one socket, which may wait for the client's answer.
  io.on_connection([](sio::SocketPtr socket) -> Task<> {
    socket->on_disconnect(
        [id = socket->id()](sio::DisconnectReason reason) { std::cout << id << " left: " << to_string(reason) << std::endl; });
    const auto name = co_await socket->timeout(5s).emit_with_ack<std::string>("your name?");
    socket->broadcast().emit("joined", name ? *name : "somebody");
  });

  const int wanted = argc > 1 ? std::atoi(argv[1]) : 3000;
  const auto port = io.listen("127.0.0.1", static_cast<std::uint16_t>(wanted));
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  ::pause();  // until a signal ends the program
}
