// One Engine.IO session as a state machine: packets, heartbeats, polls and posts, the upgrade, every way to close.
// Pure: no clock, no sockets; time is a parameter, what is to be done is told to a sink. Lives on its session's shard.
//
//             start_upgrade         "2probe"               "5"
//   polling ───────────────► offered ───────► probed ───────────────► websocket
//      ▲                        │                │
//      └────────────────────────┴────────────────┘   wrong packet, connection lost, upgrade_timeout
//
// While probed each poll is answered at once (the client is waiting for it to end) and heartbeats pause.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "engineio/encoded_packet.hpp"
#include "engineio/packet.hpp"
#include "engineio/poll_queue.hpp"
#include "engineio/post_body.hpp"
#include "engineio/session_types.hpp"

namespace payam::eio {

struct SessionTimes {
  Millis ping_interval{25'000};
  Millis ping_timeout{20'000};
  Millis upgrade_timeout{10'000};
  Millis poll_close_timeout{30'000};  // how long a closing session waits for the poll that takes its last packets
};

// What a session began as; only its transport changes.
struct SessionKind {
  Transport transport = Transport::polling;
  Protocol protocol = Protocol::v4;
  BinaryForm binary = BinaryForm::frame;  // on polling, in version 3; version 4 knows base64 only
};

// What a session has done to it or tells its application. Called inside the machine's calls; deliver() may call the machine
// again (send, close, terminate), the others must not.
class SessionSink {
 public:
  virtual void deliver(const Packet& packet) = 0;  // a message
  virtual void closed(CloseReason reason) = 0;     // once; nothing follows

  // Polling: answer the pending poll with 200 and this.
  virtual void answer_poll(Payload payload) = 0;
  // Polling: call flush() at the end of the turn.
  virtual void flush_later() = 0;

  // Websocket: how much waits there, whether it takes more now; one more for it.
  virtual std::size_t unsent_bytes() const = 0;
  virtual bool is_writable() const = 0;
  virtual void transmit(PacketRef packet, bool compress) = 0;
  // Begin the close handshake; `drain`: after what is queued, otherwise without it.
  virtual void close_websocket(bool drain) = 0;

  // The websocket that asks to take over: a packet for it; it is the transport from now on; close it.
  virtual void transmit_to_candidate(PacketRef packet) = 0;
  virtual void adopt_candidate() = 0;
  virtual void drop_candidate() = 0;

 protected:
  ~SessionSink() = default;
};

class SessionMachine {
 public:
  // `times` and `sink` outlive the machine. The session is open; its caller has sent, or sends, the open packet.
  SessionMachine(const SessionTimes& times, std::size_t max_buffered_bytes, SessionKind kind, SteadyTime now,
                 SessionSink& sink);

  Transport transport() const { return kind_.transport; }
  Protocol protocol() const { return kind_.protocol; }
  bool is_open() const { return state_ == State::open; }      // takes packets to send
  bool is_closed() const { return state_ == State::closed; }  // and has told closed()
  std::size_t buffered_bytes() const;
  // The part of them that waits for a poll; nothing does once it is closed.
  std::size_t waiting_bytes() const { return state_ == State::closed || !polling_ ? 0 : polling_->waiting.bytes(); }

  // When on_time() is due at the latest; changes with every call but send() and flush().
  SteadyTime deadline() const;
  void on_time(SteadyTime now);

  // Queues the packets as one unit. False if they are dropped: not open; droppable while the transport is not writable or the
  // queue is full; or over the limit, which closes the session with buffer_overflow.
  struct SendOptions {
    bool droppable = false;
    bool compress = true;
  };
  bool send(std::span<const PacketRef> packets, SendOptions options);
  // The turn's end: answers a pending poll if something is queued.
  void flush();
  // Packets queued are still sent, then a close packet (polling) or the close handshake (websocket).
  void close(SteadyTime now);
  // At once: queued packets are dropped, unless a poll is there to take them.
  void terminate(CloseReason reason);

  enum class Admission : std::uint8_t {
    accepted,
    overlap,  // one is pending already: the session has been closed
    refused,  // the session is not on polling (any more), or a post of that form has closed it
  };

  // A poll arrives; `accepted`: sink.answer_poll() is called for it once, perhaps already inside this call.
  Admission start_poll(SteadyTime now);
  // The connection of the pending poll has ended, or that of one answered before the answer was sent. A poll that is pending
  // is answered all the same, so that whoever waits for it goes on.
  void abort_poll();
  // A post arrives; `accepted`: read_post(), refuse_post() or abort_post() follows.
  Admission start_post(PayloadForm form);
  // Its whole body, a slice at a time. The others of the shard get their turns in between.
  enum class PostStep : std::uint8_t {
    more,     // call again, later
    done,     // all is read, or what follows is of no interest
    refused,  // answer 400; the session is closed or no longer on polling
  };
  PostStep read_post(PostBody& body, SteadyTime now);
  // It is refused for its size; the session lives.
  void refuse_post();
  // Its connection ended.
  void abort_post();

  // From the websocket. `nullptr`: a frame that is no packet.
  void on_packet(const Packet* packet, SteadyTime now);
  void on_websocket_end(CloseReason reason);

  // Whether a websocket for this session may ask to take over; it begins to.
  bool may_upgrade() const;
  void start_upgrade(SteadyTime now);
  void on_candidate_packet(const Packet* packet, SteadyTime now);
  void on_candidate_end(SteadyTime now);

 private:
  enum class State : std::uint8_t { open, closing, closed };
  enum class Upgrade : std::uint8_t { none, offered, probed };

  // What only a session on polling needs.
  struct Polling {
    Upgrade upgrade = Upgrade::none;
    bool poll_pending = false;
    bool post_pending = false;
    bool reading_post = false;  // some of it has been read
    int probes = 0;             // answered for the present candidate
    SteadyTime upgrade_until = SteadyTime::max();
    SteadyTime close_by = SteadyTime::max();
    PollQueue waiting;
  };

  void handle(const Packet& packet, SteadyTime now);
  void ping(SteadyTime now);
  void heartbeat(PacketType type, SteadyTime now);
  void end_upgrade(SteadyTime now);
  void complete_upgrade(SteadyTime now);
  bool is_probed() const { return polling_ && polling_->upgrade == Upgrade::probed; }
  PostStep read_slice(PostBody& body, bool goes_on, SteadyTime now);
  void answer_last_poll();
  void finish(CloseReason reason, PacketType last_answer = PacketType::close);
  void answer(Payload payload);
  void answer_with(PacketType type);
  Payload take_payload();
  Payload encode(std::span<const PacketRef> packets) const;

  const SessionTimes& times_;
  const std::size_t max_buffered_bytes_;
  SessionSink& sink_;
  State state_ = State::open;
  SessionKind kind_;
  bool awaiting_heartbeat_;           // the client's turn: a pong, or in version 3 a ping
  SteadyTime heartbeat_at_;           // the next ping, or the end of the wait for the client's
  std::unique_ptr<Polling> polling_;  // set exactly while that is the transport
};

}  // namespace payam::eio
