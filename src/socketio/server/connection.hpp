// One client's connection: decodes its packets and deals them to its sockets, one a namespace. Its shard's thread only. Its
// sockets may outlive the engine's session.
#pragma once

#include <boost/container/small_vector.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/held_bytes.hpp"
#include "engineio/server/server.hpp"
#include "payam/sio/event.hpp"
#include "runtime/timer_wheel.hpp"
#include "socketio/decoder.hpp"
#include "socketio/server/core.hpp"
#include "socketio/server/part.hpp"

namespace payam::sio::detail {

class NamespaceImpl;
class ServerImpl;
class SocketImpl;

class Connection final : public eio::SessionHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerImpl> its_server, std::shared_ptr<eio::Session> its_session);
  ~Connection() override;

  const std::shared_ptr<ServerImpl> server;
  const std::shared_ptr<eio::Session> session;
  ShardState& state;

  // A client of Socket.IO v2 (Options::allow_eio3): it is in `/` without asking, takes the session's id for its sockets', and
  // has a query in the namespace's name for auth.
  bool is_version_3() const { return session->protocol() == eio::Protocol::v3; }
  void join_main();

  void on_text(std::string_view data) override;
  void on_binary(std::string_view data) override;
  void on_close(eio::CloseReason reason) override;

  bool is_open() const { return !closed_; }
  // Every socket gets `reason`, then the connection ends.
  void close(DisconnectReason reason);
  // The socket has ended; the connection stays.
  void remove(SocketImpl& socket);

  // Coroutine handlers of all its sockets. False: too many.
  bool begin_handler();
  void close_overloaded();
  void end_handler() { --running_handlers_; }

 private:
  Decoder new_decoder() const;
  void on_outcome(Decoder::Outcome outcome, Packet& packet);
  void wait_for_attachments(Decoder decoder);
  void hold_attachments();
  void on_attachment_timeout();
  void on_packet(Packet& packet);
  void on_connect(Packet& packet);
  bool may_ask_for_namespace();
  void begin_connect(std::string nsp, json::object auth);
  void on_connect_timeout();
  void close_sockets(DisconnectReason reason);
  void reject(std::string_view nsp, std::string_view message, const json::value& data);
  void refuse(std::string_view nsp, const Refusal& refusal);
  std::string new_socket_id(const std::string& nsp) const;
  SocketPtr find(std::string_view nsp) const;
  bool is_entering(std::string_view nsp) const;
  void entered(std::string_view nsp);

  // The way in of one socket; `self` and the parameters live with the coroutine.
  Task<> connect(std::shared_ptr<Connection> self, std::string nsp_name, json::object auth);
  Task<SocketPtr> restore(std::shared_ptr<NamespaceImpl> nsp, json::object& auth, std::optional<Occupancy>& occupancy);
  Task<Verdict> ask_middleware(SocketPtr socket);
  bool wants_recovery(const Handshake& handshake) const;

  // What is needed only while sockets are on their way in.
  struct Entrance {
    explicit Entrance(Connection& connection) : timer(connection) {}

    MemberTimer<&Connection::on_connect_timeout> timer;  // until the first namespace is joined
    std::vector<std::string> namespaces;                 // asked for and neither joined nor refused
  };

  // A packet whose attachments have not all come.
  struct Incomplete {
    Incomplete(Connection& connection, Decoder its_decoder) : decoder(std::move(its_decoder)), timer(connection) {}

    Decoder decoder;
    HeldBytes held;                                         // of Core::attachment_bytes
    MemberTimer<&Connection::on_attachment_timeout> timer;  // until the next one
  };

  std::unique_ptr<Incomplete> incomplete_;
  SteadyTime connects_paid_until_{};                      // one interval for each namespace asked for
  boost::container::small_vector<SocketPtr, 1> sockets_;  // connected
  std::unique_ptr<Entrance> entrance_;
  std::uint32_t running_handlers_ = 0;
  bool closed_ = false;
};

}  // namespace payam::sio::detail
