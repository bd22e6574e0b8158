// One connection of the HTTP server: a state machine over a stream, on its shard's thread. Between requests it holds nothing
// but itself; all that belongs to a request is in an Exchange, which ends with the response.
//
//   idle → head → (body →) handling → writing → idle, or → lingering → closed
//
// It owns itself while it is open (`self_`), and the coroutine of a running handler shares it: a handler's Request outlives
// the peer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/server/request_parser.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/server_state.hpp"
#include "runtime/completion.hpp"
#include "runtime/stream.hpp"

namespace payam::http {

class Connection final : public StreamHandler, public BodySource, public std::enable_shared_from_this<Connection> {
 public:
  // `lease` is the one that the stream holds.
  Connection(std::shared_ptr<ServerState> state, ShardState& shard, std::shared_ptr<Stream> stream, ConnectionLease& lease);
  ~Connection();

  // Begins to serve; the connection keeps itself alive from here on.
  void start();
  // The server stops: closes if nothing is being served; what is, is the last.
  void drain();
  // At once; a running handler's on_abort is called.
  void cut_off();
  // The loop will never run again, on any thread: lets go of everything.
  void abandon();

  // The next one of the shard's list.
  Connection* next() const { return next_; }

  void on_readable() override;
  void on_writable() override;

  // Of a streamed body; called by the handler.
  Task<Result<std::string_view>> read() override;

 private:
  enum class Phase { idle, head, body, handling, writing, lingering, closed };

  // How much a transfer moved while we waited for the peer; time in which the peer waits for us does not count.
  struct Rate {
    std::uint64_t bytes = 0;  // in the present window
    Millis waited{0};         // of it, without the present wait
    SteadyTime since{};       // the present wait began

    void stop_waiting() { waited += std::chrono::ceil<Millis>(steady_now() - since); }
  };

  // What one request needs, from its first byte to the end of its response.
  struct Exchange {
    Exchange(std::size_t head_limit, const Rate& before) : parser(head_limit), output(before) {}

    bool streams() const { return match.route != nullptr && match.route->streams(); }

    RequestParser parser;
    Request request;
    Router::Match match;
    SteadyTime began = steady_now();
    Budget::Held body;              // of what is in request.body, unless that is small and whole
    bool expects_continue = false;  // and has not been told to go on
    bool close = false;             // after the response

    // A streamed body.
    std::optional<Completion<std::monostate>> body_waiter;
    bool body_ended = false;  // the handler has been told
    int body_failure = 0;     // it cannot be read further: the status to answer
    Rate input;

    std::optional<ResponseWriter> writer;
    Budget::Held reply;  // of what the writer keeps, once it has to wait
    Rate output;         // goes on from one response to the next while the peer sends requests ahead
    int status = 0;
    std::string fault;  // what the handler threw
    std::move_only_function<void(std::shared_ptr<Stream>, std::string)> upgrade;
  };

  // Input.
  void take(std::string_view bytes);
  void advance();
  bool advance_once();
  void begin_request(const Rate& output);
  std::span<char> room();
  bool on_head_step(const RequestParser::Step& step);
  bool on_body_step(const RequestParser::Step& step);
  void on_head();
  void dispatch();
  bool count_body();
  bool count_for_forwarded();
  std::string_view pending() const { return std::string_view(input_).substr(used_); }
  void compact();
  bool wants_input() const;
  void want_input();
  void on_peer_finished();
  void discard_input();

  // Streamed bodies.
  bool streaming() const;  // the handler has not seen the body's end
  std::optional<Result<std::string_view>> next_piece();
  void wait_for_body(Completion<std::monostate> done);
  void wake_body();
  std::unexpected<Error> body_failed(int status);

  // Handling and output.
  void handle();
  static Task<> run_handler(std::shared_ptr<Connection> self);
  void respond(Response response);
  void respond_and_close(int status);
  void write();
  bool count_reply();
  void fetch_piece();
  static Task<> run_fetch(std::shared_ptr<Connection> self);
  void sent();
  void hand_over();
  bool say_continue();

  // The end.
  void lost();
  void linger();
  void close();
  void leave_list();
  void tell_abort();
  void tell_forwarding_ignored();
  void record(int status);

  void on_timeout();
  void wait_for_peer(Rate& rate);
  bool too_slow(Rate& rate) const;
  void arm(Millis delay) { shard_.shard.start_timer(timer_, delay); }
  const ServerLimits& limits() const { return state_->options.limits; }

  // First, so that it is destroyed last: who waits for the count then knows that the rest is gone.
  const ServerState::OpenCount count_;
  ServerState* const state_;
  ShardState& shard_;
  std::shared_ptr<Stream> stream_;
  ConnectionLease& lease_;  // while stream_ is there
  const asio::ip::address peer_;
  const bool from_proxy_;  // a trusted one: the peer of each request is who it says
  std::shared_ptr<Connection> self_;
  Connection* previous_ = nullptr;
  Connection* next_ = nullptr;

  Phase phase_ = Phase::idle;
  bool advancing_ = false;
  bool peer_finished_ = false;  // it sends no more
  std::string input_;           // without memory while idle
  std::size_t used_ = 0;        // of it
  std::unique_ptr<Exchange> exchange_;
  MemberTimer<&Connection::on_timeout> timer_{*this};
};

}  // namespace payam::http
