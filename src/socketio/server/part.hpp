// One shard's part of a namespace: its sockets, rooms, and the kept state of sockets that may come back. The shard's thread
// only.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "payam/sio/adapter.hpp"
#include "payam/sio/target.hpp"
#include "socketio/content.hpp"
#include "socketio/encoder.hpp"
#include "socketio/missed_packets.hpp"
#include "socketio/room_index.hpp"
#include "socketio/server/core.hpp"

namespace payam::sio::detail {

class NamespaceImpl;
class NamespacePart;
class SocketImpl;

// Holds a namespace against being cleaned up while somebody is in it.
class Occupancy {
 public:
  explicit Occupancy(std::shared_ptr<NamespaceImpl> nsp);  // which the server has counted already
  ~Occupancy();
  Occupancy(Occupancy&&) noexcept = default;
  Occupancy& operator=(Occupancy&&) noexcept = default;

  // The namespace, and with it the duty to vacate() it.
  std::shared_ptr<NamespaceImpl> release() { return std::move(nsp_); }

 private:
  std::shared_ptr<NamespaceImpl> nsp_;
};

// An event for many sockets, made once, shared by the shards, immutable.
struct Broadcast {
  Target target;
  bool is_volatile = false;
  bool compress = true;
  std::string event;
  mutable Content content;  // has the form the encoder needs: read-only from then on
  PacketParts parts;
  std::optional<std::uint64_t> ack_id;
  std::uint64_t offset = 0;  // 0: not kept for recovery
};

// A broadcast on one shard, while it is handed out.
class Delivery {
 public:
  Delivery(const Broadcast& its_broadcast, NamespacePart& its_part) : broadcast(its_broadcast), part_(its_part) {}

  const Broadcast& broadcast;
  // The packet with its offset, for sockets that may come back; encoded at most once a shard.
  const std::shared_ptr<const PacketParts>& parts_with_offset();

  std::vector<SocketPtr> listening{};   // with catch-all listeners to be called afterwards
  std::vector<SocketImpl*> received{};  // of whom an acknowledgement is expected

 private:
  NamespacePart& part_;
  std::shared_ptr<const PacketParts> with_offset_;
};

// Who stands in the rooms: a socket, or the kept state of one.
class Receiver : public RoomIndex::Member {
 public:
  virtual void deliver(Delivery& delivery) = 0;
  // Fetches what deliver() will read, see RoomIndex::select().
  virtual void fetch(int) const {}
  virtual SocketImpl* socket() { return nullptr; }

 protected:
  ~Receiver() = default;
};

// The state of a recoverable socket.
struct Session {
  explicit Session(const MissedPackets::Limits& limits) : missed(limits) {}

  std::string pid;  // the client's secret to come back with
  MissedPackets missed;
};

// A socket that lost its connection: stays in its rooms and collects what it misses, until it is taken over or its time is up.
class KeptSession final : public Receiver {
 public:
  KeptSession(NamespacePart& part, std::unique_ptr<Session> session, std::any data, Occupancy occupancy);
  ~KeptSession();

  void deliver(Delivery& delivery) override;
  void on_expired();

  NamespacePart& part;
  std::unique_ptr<Session> session;
  std::any data;
  bool claimed = false;  // by a client whose check is under way
  MemberTimer<&KeptSession::on_expired> expiry{*this};

 private:
  Occupancy occupancy_;
};

// Receives the acknowledgements of a broadcast. Any thread.
class AckCollector {
 public:
  virtual ~AckCollector() = default;
  virtual void announce(std::size_t receivers) = 0;  // once a shard
  virtual void give(Arguments reply) = 0;
  virtual void lose() = 0;  // a receiver has gone
};

class NamespacePart {
 public:
  NamespacePart(NamespaceImpl& its_nsp, Core& its_core, ShardState& its_state);
  ~NamespacePart();

  NamespaceImpl& nsp;
  Core& core;
  ShardState& state;
  RoomIndex index;

  void deliver(const Broadcast& broadcast, std::shared_ptr<AckCollector> collector);
  std::vector<SocketDetails> details(const Target& target);
  void join(const Target& target, const std::vector<std::string>& rooms);
  void leave(const Target& target, const std::vector<std::string>& rooms);
  void disconnect(const Target& target, bool close);

  // Acknowledgements of broadcasts.
  void on_broadcast_ack(SocketImpl& socket, std::uint64_t id, Arguments reply);
  void forget_broadcast(std::uint64_t id) { broadcast_acks_.erase(id); }
  void forget_socket(SocketImpl& socket);

  // --- Connection state recovery.
  std::unordered_map<std::string, SocketImpl*> recoverable;  // by pid, connected here

  // Takes the place of a socket that lost its connection.
  void keep(SocketImpl& socket, std::unique_ptr<Session> session, std::any data, Occupancy occupancy);
  // For a client that shows a pid and the offset it has: the state to look at before it is taken over; nobody else may claim
  // it meanwhile. Fences a socket that is still connected. nullopt: unknown, claimed, or what was missed is not known any more.
  struct Claim {
    std::string id;
    std::vector<std::string> rooms;
    std::any data;
  };
  std::optional<Claim> claim(const std::string& pid, std::optional<std::uint64_t> offset);
  // The claim was not used.
  void release(const std::string& pid, std::any data);
  // The state moves to the claimer. `successor`: its place in this index, if it is of this part; else it leaves the index.
  std::unique_ptr<Session> take(const std::string& pid, Receiver* successor);
  void drop_kept();
  bool can_keep() const;

 private:
  friend class KeptSession;

  struct BroadcastAck {
    std::shared_ptr<AckCollector> collector;
    std::unordered_set<SocketImpl*> waiting;
  };

  std::vector<SocketImpl*> sockets_of(const Target& target);

  std::unordered_map<std::uint64_t, BroadcastAck> broadcast_acks_;
  std::unordered_map<std::string, std::unique_ptr<KeptSession>> kept_;
};

}  // namespace payam::sio::detail
