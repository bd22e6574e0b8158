// One connection to the application as its client sees it: the other end of a socketpair, which never blocks. It sends whatever
// it is told, in the pieces it is told, and reads strictly: replies and frames must be well formed, JSON must parse, each whole
// request gets one reply and each event that asks for it one acknowledgement.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "http/message.hpp"

namespace payam::fuzz {

// Longer than anything may take, however slow the machine: what is not there by then has been lost.
inline constexpr Millis kPatience{20'000};

struct Reply {
  int status = 0;
  http::Headers headers;
  std::string body;
  boost::json::value json;  // of the body; null if it is none
};

class Peer {
 public:
  // What a whole request is owed.
  struct Owed {
    std::string what{};           // of the request, for whoever reads about a find
    bool head_only = false;       // HEAD: the reply has no body
    bool upgrade = false;         // a 101 makes the connection a websocket
    bool may_wait = false;        // a poll: its reply may be long in coming
    bool may_be_refused = false;  // the connection may end instead
    std::function<void(const Reply&)> then{};
  };
  using OnJson = std::function<void(const boost::json::value&)>;

  // `on_json` is given what the application says, replies, events and acknowledgements alike.
  Peer(Descriptor socket, OnJson on_json) : socket_(std::move(socket)), on_json_(std::move(on_json)) {}

  // --- What it sends ------------------------------------------------------------------------------------------------

  void request(std::string_view bytes, Owed owed);
  // From here on nothing is owed: what is sent is no longer what a client would send.
  void send_anything(std::string_view bytes);
  // A websocket's frame, or several.
  void send_frames(std::string_view bytes) { queue(bytes); }
  // An acknowledgement with this id is owed.
  void expect_ack(std::uint64_t id) {
    if (clean_) acks_owed_.insert(id);
  }
  // A CONNECT is owed its answer, one way or the other.
  void expect_connect() { connects_owed_ += clean_ ? 1 : 0; }
  // The client leaves the namespace, or has to: what is owed may never come.
  void forget_acks() {
    acks_owed_.clear();
    connects_owed_ = 0;
  }
  void spoil();

  void cut(std::size_t piece) { piece_ = piece; }  // 0: not at all
  void read(bool on) { reads_ = on; }
  void finish_writing();
  void close() { socket_.close(); }

  // --- What it got --------------------------------------------------------------------------------------------------

  bool is_open() const { return socket_.is_open() && !ended_; }
  bool is_clean() const { return clean_; }
  bool is_websocket() const { return websocket_; }
  bool deflates() const { return deflates_; }
  // Whether a reply or an acknowledgement has to come; not while its own bytes have not been taken.
  bool is_owed() const;
  bool reads() const { return reads_; }

  // Ends the process with the conversation so far.
  [[noreturn]] void object(std::string_view to) const;

 private:
  template <class F>
  friend bool pump(std::span<Peer* const> peers, Millis limit, F done);

  void queue(std::string_view bytes);
  void flush();
  void wait_until_read() const;
  void receive();
  void understand();
  bool take_reply();
  bool take_frame();
  void on_packet(std::string_view packet);    // of Engine.IO
  void on_message(std::string_view message);  // of Socket.IO
  void on_end();
  boost::json::value parsed(std::string_view text);
  void require(bool condition, std::string_view what) const {
    if (!condition) object(what);
  }

  static bool wait_for(std::span<Peer* const> peers, Millis limit);
  std::size_t unsent() const { return out_.size() - out_used_; }

  Descriptor socket_;
  OnJson on_json_;
  std::string out_;
  std::size_t out_used_ = 0;
  std::size_t piece_ = 0;
  std::string in_;
  std::string sent_, received_;  // the last of it, for a find's report
  std::deque<Owed> owed_;
  std::set<std::uint64_t> acks_owed_;
  unsigned connects_owed_ = 0;
  bool clean_ = true;
  bool reads_ = true;
  bool finished_ = false;  // it says no more
  bool ended_ = false;     // nothing more comes
  bool last_reply_closes_ = false;
  bool websocket_ = false;
  bool deflates_ = false;
};

// Moves bytes both ways until `done()`, or nothing has moved for `limit`: false then.
template <class F>
bool pump(std::span<Peer* const> peers, Millis limit, F done) {
  while (!done()) {
    if (!Peer::wait_for(peers, limit)) return done();
    for (Peer* peer : peers) {
      peer->flush();
      peer->receive();
    }
  }
  return true;
}

// Says what was found, and ends the process.
[[noreturn]] void find(std::string_view what, std::string_view detail);

}  // namespace payam::fuzz
