// One Socket.IO client: connects, joins the namespace `/`, answers heartbeats. What it reads of the protocol is what a load
// needs; a conformance test is elsewhere. Two transports: websocket.cpp and polling.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "load/loop.hpp"
#include "load/options.hpp"

namespace payam::bench {

class Client;

// Text is valid during the call.
class ClientHandler {
 public:
  virtual void on_ready(Client& client) = 0;                         // the namespace is joined
  virtual void on_ack(Client& client, std::string_view packet) = 0;  // "12[…]": id and arguments
  // The text of an event, "[…]"; the attachment of a binary one; or compressed bytes, which are not unpacked.
  virtual void on_event(Client& client, std::string_view data) = 0;
  virtual void on_closed(Client& client) = 0;  // by the server

 protected:
  ~ClientHandler() = default;
};

class Client : public Pollable {
 public:
  // `loop` and `handler` outlive the client.
  static std::unique_ptr<Client> make(Loop& loop, ClientHandler& handler, const Options& options, bool polling, int index);
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int index() const { return index_; }
  bool ready() const { return state_ == State::ready; }

  // Begins to connect; false if the system refuses.
  bool connect();

  // An Engine.IO text packet: "42[…]".
  virtual void send(std::string_view packet) = 0;
  virtual void send_binary(std::string_view bytes) = 0;

  // Leaves all that arrives in the kernel's buffer, like a peer that has stopped.
  void stop_reading();
  // Whether the server has ended the connection; also true of one that no longer reads.
  bool cut_off() const;
  // Resets the connection: no port is left in TIME_WAIT. No on_closed().
  void drop();

  void on_events(std::uint32_t events) final;

 protected:
  enum class State { idle, connecting, handshake, open, ready, closed };

  Client(Loop& loop, ClientHandler& handler, const Options& options, int index)
      : loop_(loop), handler_(handler), options_(options), index_(index) {}

  virtual void on_connected() = 0;
  // Takes as much of `data` as is complete; returns how much.
  virtual std::size_t consume(std::string_view data) = 0;

  void on_packet(std::string_view packet);
  void on_binary(std::string_view bytes) { handler_.on_event(*this, bytes); }
  // A message whose bytes are compressed: which it is follows from the order of the handshake.
  void on_opaque(std::string_view bytes);
  void write(std::string_view bytes);
  void fail();
  bool closed() const { return state_ == State::closed; }

  Loop& loop_;
  ClientHandler& handler_;
  const Options& options_;
  State state_ = State::idle;
  std::string sid_;

 private:
  void read();

  const int index_;
  int descriptor_ = -1;
  bool reading_ = true;
  bool acked_join_ = false;  // only told apart for on_opaque()
  std::string unread_;       // an incomplete frame or response
  std::string unwritten_;
};

}  // namespace payam::bench
