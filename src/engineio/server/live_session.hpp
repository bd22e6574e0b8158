// A session as the server keeps it: the machine that decides, and the transports it decides about. Lives on its home's shard.
// The home's table holds it until it is closed; who holds it longer finds a session on which every call is a no-op.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engineio/server/home.hpp"
#include "engineio/server/server.hpp"
#include "engineio/server/websocket_connection.hpp"
#include "engineio/session_machine.hpp"
#include "runtime/completion.hpp"

namespace payam::eio {

class LiveSession final : public Session,
                          public std::enable_shared_from_this<LiveSession>,
                          private SessionSink,
                          private WebsocketConnection::Owner {
 public:
  LiveSession(std::shared_ptr<Home> home, SessionKind kind, Handshake handshake);
  ~LiveSession() override;

  // A polling session's among those there may be; given back when it is on a websocket or closed.
  void keep_place(Budget::Held place);
  // Makes the handler and starts the heartbeat. For a websocket session attach() comes before.
  void start();
  http::Response open_response() const;  // with the open packet, to a polling handshake

  // The connection of a websocket session: the open packet is the first thing it sends.
  void attach(std::shared_ptr<Stream> stream, WebsocketTerms terms);
  // Lets its bytes in, after start().
  void begin_reading(std::string early);

  // Whether a websocket may ask to take over now; and one that asks.
  bool may_upgrade() const { return machine_.may_upgrade(); }
  void offer(NewWebsocket accepted);

  // A poll; `reply` is called once, later.
  using Reply = Completion<http::Response>;
  void poll(Reply reply);
  void abort_poll();

  // A post: nullopt lets its body be read, which read_post() or one of the others follows; otherwise the answer.
  std::optional<http::Response> start_post(PayloadForm form);
  // A slice of it; nullopt: call again, later.
  std::optional<http::Response> read_post(PostBody& body);
  void refuse_post();
  void abort_post();

  // Destroys everything inside and tells nobody: the shard will not run again.
  void drop();

  const std::string& id() const override { return id_; }
  Shard& shard() const override { return home_->shard(); }
  const Handshake& handshake() const override { return handshake_; }
  Transport transport() const override { return machine_.transport(); }
  Protocol protocol() const override { return machine_.protocol(); }
  bool is_open() const override { return machine_.is_open(); }
  void admit() override;
  using Session::send;
  bool send(std::span<const PacketRef> packets, SendOptions options) override;
  void fetch() const override;
  void close() override;
  void terminate(CloseReason reason) override;
  std::size_t buffered_bytes() const override { return machine_.buffered_bytes(); }

  // Bytes of one packet or polling body, at present.
  std::size_t max_payload() const;

 private:
  // What only a session on polling needs.
  struct Polling;

  void deliver(const Packet& packet) override;
  void closed(CloseReason reason) override;
  void answer_poll(Payload payload) override;
  void flush_later() override;
  std::size_t unsent_bytes() const override;
  bool is_writable() const override;
  void transmit(PacketRef packet, bool compress) override;
  void close_websocket(bool drain) override;
  void transmit_to_candidate(PacketRef packet) override;
  void adopt_candidate() override;
  void drop_candidate() override;

  void on_websocket_message(WebsocketConnection& connection, std::string_view data, bool binary) override;
  void on_websocket_end(WebsocketConnection& connection, CloseReason reason) override;
  Caller caller() const override;

  PacketRef open_packet() const;
  void on_timer();
  // After each call of the machine: its deadline, and its part of the server's count of bytes queued.
  void arm();
  void count_waiting();
  void pay_for_waiting();
  WebsocketConnection* candidate() const;
  template <class F>
  void guard(F call);

  const std::shared_ptr<Home> home_;
  std::unique_ptr<WebsocketConnection> websocket_;
  SessionMachine machine_;
  std::unique_ptr<Polling> polling_;  // until it is on a websocket
  MemberTimer<&LiveSession::on_timer> timer_{*this};
  SteadyTime armed_for_ = SteadyTime::max();
  std::shared_ptr<SessionHandler> handler_;
  const std::string id_;
  const Handshake handshake_;
  websocket::CloseCode close_code_ = websocket::CloseCode::no_status;
  bool admitted_ = false;
};

}  // namespace payam::eio
