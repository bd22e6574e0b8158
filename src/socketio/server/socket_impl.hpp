// What stands behind a Socket. Its shard's thread only.
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engineio/server/server.hpp"
#include "payam/sio/socket.hpp"
#include "runtime/completion.hpp"
#include "socketio/packet.hpp"
#include "socketio/server/connection.hpp"
#include "socketio/server/handlers.hpp"
#include "socketio/server/namespace_impl.hpp"
#include "socketio/server/part.hpp"

namespace payam::sio::detail {

class SocketImpl final : public Receiver {
 private:
  enum class State : std::uint8_t { pending, connected, closing, closed };
  struct Return;
  // First, side by side: all that a broadcast reads of a receiver.
  eio::Session& session_;  // the connection's
  std::unique_ptr<SocketHandlers> own_;
  std::unique_ptr<Session> recovery_;
  std::unique_ptr<Return> return_;
  State state_ = State::pending;
  bool occupies_ = true;  // the namespace

 public:
  using Reply = std::expected<Arguments, AckError>;

  // A socket on its way in, in the namespace that it occupies; not in the index yet. One allocation holds both sides of it.
  static SocketPtr make(std::shared_ptr<Connection> connection, std::shared_ptr<const NamespaceHandlers> handlers,
                        json::object auth, Occupancy occupancy);
  ~SocketImpl();

  const std::shared_ptr<NamespaceImpl> nsp;
  NamespacePart& part;
  const std::shared_ptr<Connection> connection;
  const std::shared_ptr<const NamespaceHandlers> handlers;
  const Handshake handshake;
  std::any data;
  bool recovered = false;

  const std::string& id() const { return RoomIndex::id_of(*this); }
  SocketPtr self() const { return socket_.weak_from_this().lock(); }
  // From the CONNECT packet until after the `disconnecting` handlers.
  bool is_connected() const { return state_ == State::connected || state_ == State::closing; }

  // --- The way in: one of enter(), take_over() and collect() with finish_collecting(); then connect() or abandon().
  void enter(std::string id);
  // Takes the place of a kept state of this part. `client_offset`: the last event the client has.
  void take_over(const std::string& pid, std::optional<std::uint64_t> client_offset);
  // The kept state is another shard's: enter the rooms and collect what is sent from now on, until the state has come. Null:
  // it has not.
  void collect(const NamespacePart::Claim& claim, std::optional<std::uint64_t> client_offset);
  bool finish_collecting(std::unique_ptr<Session> session);
  // After enter(): the state may be recovered later.
  void make_recoverable();
  // Sends what was missed, then CONNECT. False if that is not possible any more.
  bool connect();
  // The connection has ended before that, or (`refused`) the socket is not wanted. No handlers are called.
  void abandon(bool refused);
  Occupancy release_occupancy();

  // --- Packets of the client.
  void on_event(const SocketPtr& keep, Packet& packet);
  void on_ack(std::uint64_t id, Arguments arguments);

  // --- Events out.
  void emit(std::string_view event, Content content, const Flags& flags);
  void emit_with_ack(std::string_view event, Content content, const Flags& flags, Completion<Reply> done);
  void send_ack(std::uint64_t id, Content content);
  void send_ack(std::uint64_t id, const json::value& argument);
  void notify_outgoing(std::string_view event, Content& content);
  void report_error(const EventError& error, const Ack& ack);
  // Runs a coroutine of a handler. `keep` lives until it ends.
  void spawn(std::string_view where, Task<> task, std::shared_ptr<const void> keep, std::string event, Ack ack);

  // --- The end.
  void disconnect(bool close);
  void close(DisconnectReason reason);
  // Another connection shows this socket's pid: this one ends, and its state is kept for that one.
  void fence();

  void deliver(Delivery& delivery) override;
  void fetch(int step) const override;
  SocketImpl* socket() override { return this; }

  SocketHandlers* own_handlers() { return own_.get(); }
  // Null once it is over: nothing can be registered.
  SocketHandlers* make_own_handlers();

 private:
  struct Whole;
  struct PendingAck;
  // Acknowledgements the client owes; most sockets never ask for one.
  struct PendingAcks {
    std::map<std::uint64_t, std::unique_ptr<PendingAck>> by_id;
    std::uint64_t next_id = 0;
  };
  // Of a recovered socket on its way in.
  struct Return {
    std::optional<std::uint64_t> client_offset;
    std::unique_ptr<MissedPackets> collected;  // between collect() and finish_collecting()
  };

  SocketImpl(Socket& socket, std::shared_ptr<Connection> its_connection, std::shared_ptr<const NamespaceHandlers> its_handlers,
             json::object auth, Occupancy occupancy);

  bool send(const PacketParts& parts, const Flags& flags);
  void leave_index(bool keep_state);
  void fail_acks();
  void vacate();

  // dispatch.cpp
  using OwnMiddleware = SharedList<ErasedEventMiddleware>::List;
  void call_any(const Event& event);
  std::optional<Task<Verdict>> run_middleware(std::size_t& next, const OwnMiddleware& own, Event& event, Verdict& refusal);
  Task<> await_middleware(SocketPtr keep, std::size_t next, OwnMiddleware own, Task<Verdict> first,
                          std::shared_ptr<Event> event, Ack ack);
  void refuse(const Event& event, Refusal refusal, const Ack& ack);
  void call_handlers(const SocketPtr& keep, Event& event, const Ack& ack);
  void call_handler(const SocketPtr& keep, const std::shared_ptr<const ErasedHandler>& handler, Event& event, const Ack& ack);
  void failed(std::string_view where, std::string_view event, const std::exception_ptr& error, const Ack& ack);

  Socket& socket_;
  std::unique_ptr<PendingAcks> acks_;
};

}  // namespace payam::sio::detail
