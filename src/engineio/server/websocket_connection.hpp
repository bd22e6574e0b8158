// One websocket: a stream, the frames that come in, the frames that wait to go out. Lives on its stream's shard. While idle it
// owns no buffer and no coroutine; what a turn of the loop queues is written with one gathered write at its end.
//
// Its owner gives it away with leave(): then it ends by itself, after the close handshake (RFC 6455 section 7) or at
// Options::close_timeout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/held_bytes.hpp"
#include "engineio/outbox.hpp"
#include "engineio/session_types.hpp"
#include "engineio/websocket/frame_reader.hpp"
#include "runtime/shard.hpp"
#include "runtime/stream.hpp"

namespace payam::eio {

class Home;

// What its handshake has settled.
struct WebsocketTerms {
  Protocol protocol = Protocol::v4;
  BinaryForm form = BinaryForm::frame;
  bool deflate = false;  // RFC 7692
};

// A websocket whose handshake is done.
struct NewWebsocket {
  std::shared_ptr<Stream> stream;
  std::string early;
  WebsocketTerms terms;
};

class WebsocketConnection final : private StreamHandler, private Flushable, private websocket::FrameSink {
 public:
  class Owner {
   public:
    // A message, valid during the call. The owner may leave() the connection inside.
    virtual void on_websocket_message(WebsocketConnection& connection, std::string_view data, bool binary) = 0;
    // The peer has closed, broken the protocol or is gone. The owner must leave() the connection inside.
    virtual void on_websocket_end(WebsocketConnection& connection, CloseReason reason) = 0;
    // On whose behalf bytes are held.
    virtual Caller caller() const = 0;

   protected:
    ~Owner() = default;
  };

  // `home` and `owner` outlive the connection, or the owner leaves it. Messages have at most `max_message` bytes.
  WebsocketConnection(Home& home, std::shared_ptr<Stream> stream, WebsocketTerms terms, std::size_t max_message, Owner* owner);
  ~WebsocketConnection();

  // Begins to read, `early` first: what came right behind the request.
  void start(std::string early);

  void set_max_message(std::size_t bytes) { reader_.set_max_message(bytes); }
  void send(PacketRef packet, bool compress);
  void fetch_queue() const;  // into the processor's cache, what send() reads
  bool is_writable() const { return !blocked_; }
  std::size_t unsent_bytes() const { return outbox_.bytes(); }

  enum class Queued : std::uint8_t { send, drop };
  // Ends the connection: what is queued (or not), then a close frame with `code`; the peer's own code, or the one for its
  // breach of the protocol, goes before that.
  static void leave(std::unique_ptr<WebsocketConnection> connection, Queued queued, websocket::CloseCode code);

  // Ends it at once, without a word. Only after leave().
  void abandon();

 private:
  static constexpr std::size_t kGather = 64;            // frames a write
  static constexpr std::size_t kPongsUpTo = 16 * 1024;  // bytes unsent; a peer that does not read gets no pongs
  // Bytes a read, beyond the frame that is coming in: as many small messages as one connection may have handled in its turn.
  // A compressed one may be a thousand times its size.
  static constexpr std::size_t kReadAhead = 8 * 1024, kReadAheadCompressed = 1024;

  void on_readable() override;
  void on_writable() override;
  void flush() override;
  void fetch() const override;
  bool on_message(const websocket::Message& message) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view payload) override;
  void on_close(websocket::CloseCode code, std::string_view reason) override;

  void take(std::span<char> bytes);
  void fail(websocket::CloseCode code);
  void report_queued();
  std::size_t paid() const { return strained_ ? strained_->queued.covered() : HeldBytes::kFree; }
  bool pay_for_queue();
  bool is_left() const { return owner_ == nullptr; }
  void lost();
  void end();
  void on_timeout();
  // What only a connection needs that ends, or whose peer does not take what is queued.
  struct Strained {
    explicit Strained(WebsocketConnection& connection) : close_timer(connection) {}

    MemberTimer<&WebsocketConnection::on_timeout> close_timer;
    HeldBytes queued;  // of Common::outgoing
  };
  Strained& strained();

  Home& home_;
  std::shared_ptr<Stream> stream_;
  Owner* owner_;
  Outbox outbox_;
  std::size_t reported_ = 0;  // of the outbox's bytes, to the home's counter
  std::unique_ptr<Strained> strained_;
  const WebsocketTerms terms_;
  bool blocked_ = false;                                           // the kernel takes no more; on_writable() will come
  bool peer_closed_ = false;                                       // its close frame is read
  bool close_queued_ = false;                                      // ours is queued or sent
  bool failed_ = false;                                            // its frames can no longer be understood
  bool gone_ = false;                                              // the stream is of no more use
  websocket::CloseCode answer_ = websocket::CloseCode::no_status;  // to the peer's close frame or breach
  websocket::FrameReader reader_;
};

}  // namespace payam::eio
