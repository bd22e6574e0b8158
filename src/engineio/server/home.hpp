// A shard's part of the server: the sessions that live there and the websockets that are ending. Its shard's thread, where
// nothing else is said. Held by the server and by what lives in it.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/budget.hpp"
#include "engineio/handshake.hpp"
#include "engineio/server/server.hpp"
#include "engineio/server/websocket_connection.hpp"
#include "engineio/session_machine.hpp"
#include "engineio/websocket/deflate.hpp"

namespace payam::eio {

class LiveSession;

// Counts what is alive on all shards, for Server::wait(). Any thread.
class Census {
 public:
  void add();
  void remove();
  bool wait_for_none(Millis limit);

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t alive_ = 0;
};

// What all shards share.
struct Common {
  Common(Options its_options, Server::OnSession its_on_session);

  const Options options;
  const SessionTimes times;
  const Server::OnSession on_session;
  Budget polling_sessions, incoming, outgoing;
  std::atomic<bool> stopping{false};
  Census census;
};

class Home : public std::enable_shared_from_this<Home> {
 public:
  Home(Shard& shard, std::size_t index, std::shared_ptr<Common> common);
  ~Home();

  Shard& shard() const { return shard_; }                        // any thread
  std::size_t index() const { return index_; }                   // any thread
  const Options& options() const { return common_->options; }    // any thread
  Common& common() const { return *common_; }                    // any thread
  const SessionTimes& times() const { return common_->times; }   // any thread
  Census& census() const { return common_->census; }             // any thread
  bool is_stopping() const { return common_->stopping.load(); }  // any thread

  // A new session, of Common::polling_sessions; the handler is made inside.
  std::shared_ptr<LiveSession> open_polling(Handshake handshake, SessionKind kind, Budget::Held place);
  void open_websocket(Handshake handshake, NewWebsocket accepted);
  // A websocket that asks to take over the session; one that may not is closed.
  void offer_websocket(const std::string& session_id, NewWebsocket accepted);

  std::shared_ptr<LiveSession> find(std::string_view session_id) const;
  void forget(const LiveSession& session);

  // Owns a websocket that ends by itself; discards it when it has.
  void keep(std::unique_ptr<WebsocketConnection> connection);
  void discard(WebsocketConnection& connection);

  // Accepts a websocket only to close it.
  void turn_away(NewWebsocket accepted);

  // The shard's own, made when first used.
  websocket::Deflater& deflater();
  websocket::Inflater& inflater();

  void end_all(CloseReason reason);
  // Like end_all(), but nothing waits for its peer.
  void cut_off();
  // For a shard that will never run again: everything is destroyed, nobody is told.
  void drop_all();

  void count_write() { bump(writes_); }
  void count_sent() { bump(sent_); }
  void count_received() { bump(received_); }
  void count_upgrade() { bump(upgrades_); }
  void count_websocket() { bump(websockets_opened_); }  // a session has become one of a websocket
  void count_end(Transport transport, CloseReason reason);
  void count_queued(std::ptrdiff_t bytes);
  void add_to(Counters& counters) const;  // any thread

 private:
  using Count = std::atomic<std::uint64_t>;
  // Only this shard writes, so that a plain addition will do.
  static void bump(Count& count) { count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  // Sessions are found by their ids.
  static std::string_view id_of(std::string_view id) { return id; }
  static std::string_view id_of(const std::shared_ptr<LiveSession>& session);
  struct HashById {
    using is_transparent = void;
    std::size_t operator()(const auto& each) const { return std::hash<std::string_view>{}(id_of(each)); }
  };
  struct EqualById {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return id_of(a) == id_of(b); }
  };

  std::shared_ptr<LiveSession> admit(SessionKind kind, Handshake handshake);

  Shard& shard_;
  const std::size_t index_;
  const std::shared_ptr<Common> common_;
  std::unique_ptr<websocket::Deflater> deflater_;
  std::unique_ptr<websocket::Inflater> inflater_;
  Count opened_{0}, closed_{0}, upgrades_{0}, sent_{0}, received_{0}, writes_{0};
  Count websockets_opened_{0}, websockets_closed_{0}, overflows_{0};
  std::atomic<std::ptrdiff_t> queued_{0};
  // A table without nodes: at most two words a session more.
  boost::unordered_flat_set<std::shared_ptr<LiveSession>, HashById, EqualById> sessions_;
  std::unordered_map<const WebsocketConnection*, std::unique_ptr<WebsocketConnection>> ending_;
};

}  // namespace payam::eio
