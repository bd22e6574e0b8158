// A server without a network, for tests: shards whose loops the test runs itself, clients that are vectors of packets.
#pragma once

#include <gmock/gmock.h>

#include <any>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engineio/server/server.hpp"
#include "payam/sio/server.hpp"
#include "socketio/server/server_impl.hpp"

namespace payam::sio::testing {

using namespace std::chrono_literals;

// What the library sends is kept as text: the payload of a message without its type digit, or "<" + bytes for binary.
class FakeSession final : public eio::Session {
 public:
  FakeSession(Shard& its_shard, eio::Handshake handshake, eio::Protocol protocol)
      : shard_(its_shard), handshake_(std::move(handshake)), protocol_(protocol) {}

  const std::string& id() const override { return id_; }
  Shard& shard() const override { return shard_; }
  const eio::Handshake& handshake() const override { return handshake_; }
  eio::Transport transport() const override { return eio::Transport::websocket; }
  eio::Protocol protocol() const override { return protocol_; }
  bool is_open() const override { return open_; }
  std::size_t buffered_bytes() const override { return 0; }

  using eio::Session::send;
  bool send(std::span<const eio::PacketRef> packets, SendOptions options) override {
    if (!open_ || (options.droppable && !writable)) return false;
    if (overflow_next) {
      end(eio::CloseReason::buffer_overflow);
      return false;
    }
    ++units;
    last_options = options;
    for (const auto& packet : packets) {
      received.push_back(packet->is_binary() ? "<" + std::string(packet->payload()) : std::string(packet->payload().substr(1)));
      last_packet = packet;
    }
    return true;
  }
  void admit() override { admitted = true; }
  void close() override { end(eio::CloseReason::forced_close); }
  void terminate(eio::CloseReason reason) override { end(reason); }

  // The session's last word to the layer above, as the engine gives it.
  void end(eio::CloseReason reason) {
    if (!open_) return;
    open_ = false;
    handler->on_close(reason);
    // Destroyed later, as the engine may be inside it.
    shard_.post([held = std::move(handler)] {});
  }

  std::shared_ptr<eio::SessionHandler> handler;
  std::vector<std::string> received;
  std::size_t units = 0;  // calls of send
  eio::PacketRef last_packet;
  SendOptions last_options;
  bool writable = true;
  bool overflow_next = false;
  bool admitted = false;

 private:
  Shard& shard_;
  const eio::Handshake handshake_;
  const eio::Protocol protocol_;
  std::string id_ = "engine-session";
  bool open_ = true;
};

class World;

class Client {
 public:
  Client(World& world, std::size_t shard, eio::Handshake handshake, eio::Protocol protocol);
  ~Client();

  // Each runs on the client's shard, then everything that follows from it.
  Client& send(std::string packet);
  Client& send_binary(std::string bytes);
  void end(eio::CloseReason reason = eio::CloseReason::transport_close);
  bool is_open() const { return session->is_open(); }

  // What came since the last call.
  std::vector<std::string> take() { return std::exchange(session->received, {}); }
  // Connects to a namespace and gives the answer's payload; null if it was refused.
  json::value connect(const std::string& nsp = "/", const std::string& auth = "");

  std::shared_ptr<FakeSession> session;

 private:
  World& world_;
};

class World {
 public:
  explicit World(Options options = {}, std::size_t shards = 1) : contexts_(shards) {
    std::vector<Shard*> pointers;
    for (std::size_t i = 0; i < shards; ++i) {
      contexts_[i] = std::make_unique<asio::io_context>();
      shards_.push_back(std::make_unique<Shard>(static_cast<int>(i), *contexts_[i]));
      pointers.push_back(shards_.back().get());
    }
    options.on_exception = [this](std::string_view where, const std::exception& error) {
      exceptions.push_back(std::string(where) + ": " + error.what());
    };
    io = std::make_unique<Server>(std::move(pointers), std::move(options));
  }
  ~World() {
    io->close();
    run();
    io.reset();
    run();
  }

  Shard& shard(std::size_t index) { return *shards_[index]; }

  // Until nothing is left to do now; timers aside.
  void run() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (auto& context : contexts_) {
        context->restart();
        busy = context->poll() != 0 || busy;
      }
      for (World* other : others) busy = other->run_once() || busy;
    }
  }
  bool run_once() {
    bool busy = false;
    for (auto& context : contexts_) {
      context->restart();
      busy = context->poll() != 0 || busy;
    }
    return busy;
  }
  // One handler on each shard.
  void step() {
    for (auto& context : contexts_) {
      context->restart();
      context->poll_one();
    }
  }
  // Until it holds; false if it does not within five seconds.
  bool run_until(const std::function<bool()>& holds) {
    const auto limit = steady_now() + 5s;
    while (!holds()) {
      if (steady_now() > limit) return false;
      run();
      contexts_.front()->restart();
      contexts_.front()->run_for(1ms);
    }
    run();
    return true;
  }
  void on(std::size_t shard_index, std::function<void()> work) {
    shard(shard_index).post(std::move(work));
    run();
  }
  // Runs a coroutine on the first shard to its end.
  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr thrown;
    asio::co_spawn(*contexts_.front(), std::move(task), [&](std::exception_ptr error, T value) {
      thrown = error;
      result = std::move(value);
    });
    EXPECT_TRUE(run_until([&] { return result.has_value(); }));
    if (thrown) std::rethrow_exception(thrown);
    return *std::move(result);
  }

  std::unique_ptr<Client> client(std::size_t shard_index = 0) { return client({}, shard_index); }
  std::unique_ptr<Client> client(eio::Handshake handshake, std::size_t shard_index = 0) {
    return std::make_unique<Client>(*this, shard_index, std::move(handshake), eio::Protocol::v4);
  }
  // Of Socket.IO v2.
  std::unique_ptr<Client> old_client() { return std::make_unique<Client>(*this, 0, eio::Handshake{}, eio::Protocol::v3); }

  std::unique_ptr<Server> io;
  std::vector<std::string> exceptions;
  std::vector<World*> others;  // of the same cluster, run together

 private:
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

inline Client::Client(World& world, std::size_t shard, eio::Handshake handshake, eio::Protocol protocol)
    : session(std::make_shared<FakeSession>(world.shard(shard), std::move(handshake), protocol)), world_(world) {
  world.on(shard, [&] { session->handler = world_.io->impl().open(session); });
}

inline Client::~Client() { end(); }

inline Client& Client::send(std::string packet) {
  session->shard().post([held = session, packet = std::move(packet)] {
    if (held->handler != nullptr) held->handler->on_text(packet);
  });
  world_.run();
  return *this;
}

inline Client& Client::send_binary(std::string bytes) {
  session->shard().post([held = session, bytes = std::move(bytes)] {
    if (held->handler != nullptr) held->handler->on_binary(bytes);
  });
  world_.run();
  return *this;
}

inline void Client::end(eio::CloseReason reason) {
  session->shard().post([held = session, reason] { held->end(reason); });
  world_.run();
}

inline json::value Client::connect(const std::string& nsp, const std::string& auth) {
  const std::string prefix = "0" + (nsp == "/" ? "" : nsp + ",");
  send(prefix + auth);
  for (auto packet = session->received.begin(); packet != session->received.end(); ++packet) {
    if (!packet->starts_with(prefix + "{")) continue;
    json::value answer = json::parse(packet->substr(prefix.size()));
    session->received.erase(packet);
    return answer;
  }
  return nullptr;
}

}  // namespace payam::sio::testing
