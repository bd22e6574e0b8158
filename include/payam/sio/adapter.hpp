// What joins several servers to a cluster. The library does all work of broadcasts, requests and answers; an adapter only
// carries messages between the servers and knows how many they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payam/sio/broadcast_operator.hpp"
#include "payam/sio/json.hpp"

namespace payam::sio {

// A socket as other servers are told of it.
struct SocketDetails {
  std::string id;
  std::vector<std::string> rooms;
  json::object auth;
  std::string address;
  json::value data;
};

struct ClusterMessage {
  enum class Type {
    broadcast,           // target, flags, event, arguments
    broadcast_with_ack,  // the same; answered with one client_count, then a client_ack for each
    client_count,        // count
    client_ack,          // arguments, or lost: a receiver has gone without an answer
    sockets_join,        // target, rooms
    sockets_leave,       // target, rooms
    disconnect_sockets,  // target, close
    fetch_sockets,       // target; answered with fetched_sockets
    fetched_sockets,     // sockets
    server_side_emit,    // event, arguments; with a request answered by server_side_reply
    server_side_reply,   // arguments
  };

  Type type = Type::broadcast;
  std::string sender;         // node id of the server it comes from
  std::string receiver;       // node id, or empty: every other server
  std::string nsp;            // namespace name
  std::uint64_t request = 0;  // of the asker, repeated in the answer; 0: no answer expected
  detail::Target target;
  bool is_volatile = false;
  bool compress = true;
  Millis timeout{0};  // of the asker
  std::string event;
  std::string json_arguments;  // comma-separated, without brackets; placeholders stand for the attachments
  std::vector<Binary> attachments;
  std::vector<std::string> rooms;
  bool close = false;
  std::size_t count = 0;
  bool lost = false;
  std::vector<SocketDetails> sockets;
};

// One a Server, shared with it. Every method may be called from any thread, at the same time from several.
class Adapter {
 public:
  using Receive = std::function<void(ClusterMessage)>;

  virtual ~Adapter() = default;

  // Joins the cluster as `node_id`. Messages from others (with receiver empty or node_id) go to `receive`, from any thread,
  // in the order one sender's thread published them.
  virtual void start(std::string node_id, Receive receive) = 0;
  // After it returns `receive` is not called any more.
  virtual void stop() = 0;
  // Queues the message and returns at once; what cannot be sent is lost (an outage).
  virtual void publish(ClusterMessage message) = 0;
  // How many other servers are believed to be alive.
  virtual std::size_t other_servers() const = 0;
};

}  // namespace payam::sio
