#include "http/server/connection.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cassert>
#include <new>

#include "base/network.hpp"
#include "http/server/compress.hpp"
#include "http/status.hpp"
#include "runtime/unavailable.hpp"

namespace payam::http {
namespace {

// What a peer may send ahead while its request is being handled.
constexpr std::size_t kMaxAhead = 16 * 1024;

// A body of at most this size that came at once is not counted: it takes less than what may be sent ahead.
constexpr std::size_t kSmallBody = 4 * 1024;

// Bodies for which there is no route are read all the same, up to this, so that the connection can go on.
constexpr RouteOptions kNoRoute{};

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Taken over from a trusted proxy only.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

// What a reply must not be without, unless its handler said otherwise: JSON and errors hold what is for one person alone.
void add_protection(Response& response, bool https_only) {
  auto& headers = response.headers;
  if (https_only) headers.set("Strict-Transport-Security", "max-age=31536000");
  if (response.status < 400 && !headers.find("Content-Type").value_or("").starts_with("application/json")) return;
  if (!headers.has("Cache-Control")) headers.add("Cache-Control", "no-store");
  if (!headers.has("X-Content-Type-Options")) headers.add("X-Content-Type-Options", "nosniff");
}

// Brings what is held to `amount`, for a request's peer; what stood in the way of more.
std::optional<Budget::Over> hold(Budget& budget, Budget::Held& held, const Request& request, std::uint64_t amount) {
  if (!held) {
    auto taken = budget.take({.network = network_of(request.peer)}, amount);
    if (!taken) return taken.error();
    held = std::move(*taken);
    return std::nullopt;
  }
  if (amount > held.amount()) return held.grow(amount - held.amount());
  if (amount < held.amount()) held.shrink(held.amount() - amount);
  return std::nullopt;
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerState> state, ShardState& shard, std::shared_ptr<Stream> stream,
                       ConnectionLease& lease)
    : count_(std::move(state)),
      state_(count_.state()),
      shard_(shard),
      stream_(std::move(stream)),
      lease_(lease),
      peer_(stream_->peer()),
      from_proxy_(state_->proxies.trusts(peer_)) {}

Connection::~Connection() {
  if (stream_) stream_->close();
}

void Connection::start() {
  self_ = shared_from_this();
  next_ = shard_.first;
  if (next_ != nullptr) next_->previous_ = this;
  shard_.first = this;
  stream_->attach(this);
  if (state_->stopping) return close();
  arm(limits().head_time);
  stream_->want_read();
}

void Connection::drain() {
  const auto keep = shared_from_this();
  if (phase_ == Phase::idle) linger();
}

void Connection::cut_off() {
  const auto keep = shared_from_this();
  lost();
}

void Connection::abandon() {
  const auto keep = shared_from_this();
  timer_.cancel();
  leave_list();
  // A handler that waits for its body would keep itself, and us.
  if (exchange_) exchange_->body_waiter.reset();
}

// --- Input -----------------------------------------------------------------------------------------------------------

void Connection::on_readable() {
  const auto keep = shared_from_this();
  if (phase_ == Phase::lingering) return discard_input();
  if (!wants_input()) return;  // asked for in an earlier phase
  const auto scratch = room();
  const auto result = stream_->read(scratch);
  switch (result.status) {
    case IoStatus::ok: take({scratch.data(), result.bytes}); break;
    case IoStatus::would_block: break;
    case IoStatus::end: return on_peer_finished();
    case IoStatus::error: return lost();
  }
  want_input();
}

// What is read at once: of what comes before it is due, no more than kMaxAhead has to be kept.
std::span<char> Connection::room() {
  const auto scratch = shard_.shard.scratch();
  std::uint64_t most = kMaxAhead;
  if (phase_ == Phase::handling && !streaming()) {
    most -= pending().size();
  } else if (phase_ == Phase::body || phase_ == Phase::handling) {
    most += std::min<std::uint64_t>(exchange_->parser.body_left().value_or(0), scratch.size());
  }
  return scratch.first(static_cast<std::size_t>(std::min<std::uint64_t>(most, scratch.size())));
}

void Connection::take(std::string_view bytes) {
  input_.append(bytes);
  if (phase_ == Phase::handling) {
    if (exchange_->body_waiter) {
      exchange_->input.bytes += bytes.size();
      wake_body();
    }
    return;
  }
  advance();
}

bool Connection::wants_input() const {
  if (peer_finished_ || !stream_ || !stream_->is_open()) return false;
  switch (phase_) {
    case Phase::idle:
    case Phase::head:
    case Phase::body:
    case Phase::lingering: return true;
    // To learn that the peer has left; but what it sends ahead is bounded, and a streamed body waits for its reader.
    case Phase::handling: return streaming() ? exchange_->body_waiter.has_value() : pending().size() < kMaxAhead;
    case Phase::writing:
    case Phase::closed: return false;
  }
  return false;
}

void Connection::want_input() {
  if (wants_input()) stream_->want_read();
}

void Connection::compact() {
  input_.erase(0, used_);
  used_ = 0;
  if (input_.empty() && phase_ == Phase::idle) input_ = std::string();
}

// One request after another, in a loop rather than from within each other's end.
void Connection::advance() {
  if (std::exchange(advancing_, true)) return;
  while (advance_once()) {
  }
  advancing_ = false;
  if (phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body) compact();
}

bool Connection::advance_once() {
  switch (phase_) {
    case Phase::idle:
      if (pending().empty()) return false;
      begin_request({});
      return true;
    case Phase::head:
    case Phase::body: {
      const auto step = exchange_->parser.step(pending(), exchange_->request);
      used_ += step.consumed;
      return phase_ == Phase::head ? on_head_step(step) : on_body_step(step);
    }
    default: return false;
  }
}

void Connection::begin_request(const Rate& output) {
  exchange_ = std::make_unique<Exchange>(limits().head_bytes, output);
  phase_ = Phase::head;
  arm(limits().head_time);
}

bool Connection::on_head_step(const RequestParser::Step& step) {
  switch (step.state) {
    case RequestParser::State::head:
    case RequestParser::State::complete: on_head(); return true;
    case RequestParser::State::failed: respond_and_close(step.status); return false;
    default: return false;
  }
}

bool Connection::on_body_step(const RequestParser::Step& step) {
  if (step.state == RequestParser::State::failed) {
    respond_and_close(step.status);
    return false;
  }
  auto& body = exchange_->request.body;
  body.append(step.data);
  const bool complete = step.state == RequestParser::State::complete;
  const bool waits = complete ? body.size() > kSmallBody : step.state == RequestParser::State::need_more && !body.empty();
  if (waits && !count_body()) return false;
  if (complete) dispatch();
  return step.state != RequestParser::State::need_more;
}

// Counts what there is of the body, until its response is sent.
bool Connection::count_body() {
  auto& exchange = *exchange_;
  const auto over = hold(state_->bodies, exchange.body, exchange.request, exchange.request.body.size());
  if (over) respond_and_close(*over == Budget::Over::total ? 503 : 429);
  return !over;
}

// A request that a proxy passes on, and what it is upgraded to, takes the place of a connection of its own peer's.
bool Connection::count_for_forwarded() {
  const auto& peer = exchange_->request.peer;
  if (lease_.count_for(peer == peer_.to_string() ? "" : network_of(peer))) return true;
  respond_and_close(503);
  return false;
}

void Connection::on_head() {
  auto& exchange = *exchange_;
  auto& request = exchange.request;
  auto& parser = exchange.parser;
  state_->proxies.apply(peer_, stream_->secure(), request);
  const auto given_id = request.headers.find("X-Request-ID");
  const bool keep_id = given_id && is_request_id(*given_id) && from_proxy_;
  request.id = keep_id ? std::string(*given_id) : state_->new_request_id();
  exchange.close = !parser.keep_alive();
  if (from_proxy_ && !count_for_forwarded()) return;
  if (!from_proxy_ && request.headers.has("X-Forwarded-For")) tell_forwarding_ignored();

  if (auto preflight = state_->cors.preflight(request)) return respond(std::move(*preflight));

  exchange.match = state_->router.match(request.method, path_of(request.target));
  request.params = std::move(exchange.match.params);
  const auto& options = exchange.match.route != nullptr ? exchange.match.route->options : kNoRoute;

  if (const auto expect = request.headers.find("Expect"); expect && !parser.http_1_0()) {
    if (!equals_ignoring_case(*expect, "100-continue")) return respond_and_close(417);
    exchange.expects_continue = !parser.complete();
  }
  if (parser.content_length().value_or(0) > options.max_body) return respond_and_close(413);
  parser.limit_body(options.max_body);
  // A handler that streams is called at once; where nothing comes it reads the end.
  exchange.body_ended = parser.complete();
  if (parser.complete() || exchange.streams()) return dispatch();
  if (exchange.match.route == nullptr && exchange.expects_continue) return dispatch();
  phase_ = Phase::body;
  arm(limits().body_time);
  if (exchange.expects_continue && pending().empty() && !say_continue()) lost();
}

void Connection::dispatch() {
  const auto& match = exchange_->match;
  if (match.route != nullptr) return handle();
  auto response = refuse_plainly(match.allow.empty() ? 404 : 405);
  if (!match.allow.empty()) response.headers.add("Allow", match.allow);
  respond(std::move(response));
}

void Connection::on_peer_finished() {
  peer_finished_ = true;
  if (phase_ != Phase::handling) return lost();
  // It may have closed its half only and still read: the response is tried, but whoever waits for events learns now.
  tell_abort();
  if (phase_ == Phase::handling) wake_body();
}

void Connection::discard_input() {
  const auto scratch = shard_.shard.scratch();
  const auto result = stream_->read(scratch);
  if (result.status == IoStatus::end || result.status == IoStatus::error) return close();
  stream_->want_read();
}

// --- Streamed bodies -------------------------------------------------------------------------------------------------

bool Connection::streaming() const { return exchange_->streams() && !exchange_->body_ended; }

Task<Result<std::string_view>> Connection::read() {
  for (;;) {
    if (auto piece = next_piece()) co_return std::move(*piece);
    auto start = [this](Completion<std::monostate> done) { wait_for_body(std::move(done)); };
    co_await await_completion<std::monostate>(start);
  }
}

std::unexpected<Error> Connection::body_failed(int status) {
  exchange_->body_failure = status;
  if (status == 413) return fail(Errc::too_large, std::string(reason_phrase(413)));
  return fail(Errc::bad_request, "The request's body is incomplete or malformed");
}

// A piece, the end, an error; nullopt: wait. The piece points into input_, which stays as it is until the next call.
std::optional<Result<std::string_view>> Connection::next_piece() {
  auto& exchange = *exchange_;
  if (exchange.body_failure != 0) return body_failed(exchange.body_failure);
  while (!exchange.parser.complete()) {
    const auto step = exchange.parser.step(pending(), exchange.request);
    used_ += step.consumed;
    if (step.state == RequestParser::State::failed) return body_failed(step.status);
    if (!step.data.empty()) return step.data;
    if (step.state == RequestParser::State::need_more) {
      compact();
      if (peer_finished_ || !stream_->is_open()) return body_failed(400);
      if (exchange.expects_continue && !say_continue()) return body_failed(400);
      return std::nullopt;
    }
  }
  exchange.body_ended = true;
  want_input();
  return std::string_view{};
}

void Connection::wait_for_body(Completion<std::monostate> done) {
  exchange_->body_waiter.emplace(std::move(done));
  wait_for_peer(exchange_->input);
  want_input();
}

void Connection::wake_body() {
  auto& exchange = *exchange_;
  if (!exchange.body_waiter) return;
  timer_.cancel();
  exchange.input.stop_waiting();
  if (too_slow(exchange.input)) exchange.body_failure = 408;
  auto waiter = std::move(*exchange.body_waiter);
  exchange.body_waiter.reset();
  waiter(std::monostate{});
}

void Connection::wait_for_peer(Rate& rate) {
  rate.since = steady_now();
  arm(std::max(limits().slow_window - rate.waited, Millis{1}));
}

// Whether a window of waiting is over and too little has moved in it. Begins the next one when it is over.
bool Connection::too_slow(Rate& rate) const {
  if (rate.waited < limits().slow_window) return false;
  const bool slow = rate.bytes < limits().slow_bytes;
  rate.bytes = 0;
  rate.waited = Millis{0};
  return slow;
}

// --- Handling and output ---------------------------------------------------------------------------------------------

void Connection::handle() {
  phase_ = Phase::handling;
  timer_.cancel();
  // run_handler() lets nothing out.
  asio::co_spawn(shard_.shard.executor(), run_handler(shared_from_this()),
                 []([[maybe_unused]] std::exception_ptr error) { assert(!error); });
}

Task<> Connection::run_handler(std::shared_ptr<Connection> self) {
  Exchange& exchange = *self->exchange_;
  Response response;
  try {
    response = co_await exchange.match.route->serve(self->shard_.shard, exchange.request, *self);
  } catch (const Unavailable& error) {
    exchange.fault = error.what();
    response = refuse_plainly(503);
  } catch (const OutOfStorage& error) {
    exchange.fault = error.what();
    response = refuse_plainly(507);
  } catch (const std::bad_alloc& error) {
    exchange.fault = error.what();
    response = refuse_plainly(503);
  } catch (const std::exception& error) {
    exchange.fault = error.what();
    response = refuse_plainly(500);
  } catch (...) {
    exchange.fault = "an exception of no known type";
    response = refuse_plainly(500);
  }
  self->respond(std::move(response));
}

void Connection::respond_and_close(int status) {
  exchange_->close = true;
  respond(refuse_plainly(status));
}

void Connection::respond(Response response) {
  auto& exchange = *exchange_;
  auto& request = exchange.request;
  if (!stream_->is_open()) {
    record(0);
    return close();
  }
  if (exchange.body_failure == 408 || (exchange.body_failure != 0 && response.status < 400)) {
    response = refuse_plainly(exchange.body_failure);
  }
  if (!exchange.parser.complete() || peer_finished_ || response.close || state_->stopping) exchange.close = true;
  if (response.status == 101) {
    exchange.close = true;  // without an owner for the stream there is nothing to go on with
    exchange.upgrade = std::move(response.upgrade);
  }
  if (request.id.empty()) {  // the head could not be read
    request.id = state_->new_request_id();
    request.peer = peer_.to_string();
  }
  if (response.status != 101) {
    add_protection(response, state_->options.https_only && request.secure);
    state_->cors.apply(request, response);
    compress(request, response);
  }
  exchange.status = response.status;
  exchange.writer.emplace(std::move(response), ResponseFrame{.date = shard_.date(),
                                                             .request_id = request.id,
                                                             .head_only = request.method == Method::head,
                                                             .close = exchange.close,
                                                             .http_1_0 = exchange.parser.http_1_0()});
  timer_.cancel();
  phase_ = Phase::writing;
  write();
}

void Connection::write() {
  auto& exchange = *exchange_;
  const auto before = exchange.writer->written();
  const auto status = exchange.writer->write(*stream_);
  exchange.output.bytes += exchange.writer->written() - before;
  switch (status) {
    case IoStatus::ok: return exchange.writer->wants_piece() ? fetch_piece() : sent();
    case IoStatus::would_block:
      if (!count_reply() || too_slow(exchange.output)) return lost();
      wait_for_peer(exchange.output);
      return stream_->want_write();
    default: return lost();
  }
}

// Counts what is kept of the response for as long as its reader lets it wait.
bool Connection::count_reply() {
  auto& exchange = *exchange_;
  return !hold(state_->replies, exchange.reply, exchange.request, exchange.writer->kept());
}

// The time it takes is the source's, not the peer's.
void Connection::fetch_piece() {
  timer_.cancel();
  // run_fetch() lets nothing out.
  asio::co_spawn(shard_.shard.executor(), run_fetch(shared_from_this()),
                 []([[maybe_unused]] std::exception_ptr error) { assert(!error); });
}

Task<> Connection::run_fetch(std::shared_ptr<Connection> self) {
  std::string piece, fault;
  try {
    piece = co_await self->exchange_->writer->fetch();
  } catch (const std::exception& error) {
    fault = error.what();
  }
  if (self->phase_ != Phase::writing) co_return;  // cut off meanwhile
  if (fault.empty()) {
    self->exchange_->writer->give(std::move(piece));
    self->write();
  } else {
    self->exchange_->fault = std::move(fault);
    self->lost();
  }
}

void Connection::on_writable() {
  const auto keep = shared_from_this();
  if (phase_ != Phase::writing) return;
  timer_.cancel();
  exchange_->output.stop_waiting();
  write();
}

void Connection::sent() {
  timer_.cancel();
  record(exchange_->status);
  if (exchange_->upgrade) return hand_over();
  const bool last = exchange_->close;
  const Rate output = exchange_->output;
  exchange_.reset();
  if (last) return linger();
  if (from_proxy_) lease_.count_for("");
  phase_ = Phase::idle;
  arm(limits().idle_time);
  if (!pending().empty()) begin_request(output);
  advance();
  want_input();
}

void Connection::hand_over() {
  const auto exchange = std::move(exchange_);
  const auto stream = stream_;
  std::string early(pending());
  stream_->attach(nullptr);
  stream_.reset();
  close();
  exchange->upgrade(stream, std::move(early));
}

bool Connection::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  exchange_->expects_continue = false;
  const iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
  // Nothing else is on its way: these few bytes fit, or the connection is no good.
  const auto result = stream_->write({&piece, 1});
  return result.status == IoStatus::ok && result.bytes == kContinue.size();
}

// --- The end ---------------------------------------------------------------------------------------------------------

// The peer is gone, or has to go. A running handler is told and goes on; its response will find the stream closed.
void Connection::lost() {
  if (phase_ == Phase::handling) {
    stream_->abort();
    tell_abort();
    if (phase_ == Phase::handling) wake_body();
    return;
  }
  if (phase_ == Phase::closed) return;
  if (phase_ == Phase::writing) {
    stream_->abort();
    tell_abort();
  }
  if (exchange_) record(phase_ == Phase::writing ? exchange_->status : 0);
  close();
}

void Connection::linger() {
  if (peer_finished_ || !stream_->is_open()) return close();
  phase_ = Phase::lingering;
  stream_->finish_writing();
  arm(limits().linger_time);
  stream_->want_read();
}

void Connection::close() {
  if (std::exchange(phase_, Phase::closed) == Phase::closed) return;
  timer_.cancel();
  if (stream_) stream_->close();
  exchange_.reset();
  leave_list();
}

void Connection::leave_list() {
  if (!self_) return;
  (previous_ != nullptr ? previous_->next_ : shard_.first) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  self_.reset();  // the caller keeps the connection until it returns
}

void Connection::tell_forwarding_ignored() {
  const auto& hook = state_->options.on_forwarding_ignored;
  if (hook && !state_->forwarding_told.load() && !state_->forwarding_told.exchange(true)) hook(peer_.to_string());
}

void Connection::tell_abort() {
  const auto hook = std::exchange(exchange_->request.on_abort, nullptr);
  if (hook) hook();
}

void Connection::record(int status) {
  const auto& hook = state_->options.on_request;
  if (!hook) return;
  const auto& exchange = *exchange_;
  RequestRecord record;
  record.id = exchange.request.id;
  record.method = exchange.request.method_name;
  record.path = path_of(exchange.request.target);
  if (exchange.match.route != nullptr) record.pattern = exchange.match.route->pattern;
  record.peer = exchange.request.peer;
  record.status = status;
  if (exchange.writer) record.bytes = exchange.writer->body_sent();
  record.duration = steady_now() - exchange.began;
  record.shard = shard_.shard.id();
  record.fault = exchange.fault;
  hook(record);
}

void Connection::on_timeout() {
  const auto keep = shared_from_this();
  switch (phase_) {
    case Phase::idle: return linger();
    case Phase::lingering: return close();
    case Phase::head:
    case Phase::body: return respond_and_close(408);
    case Phase::handling:
      if (!exchange_->body_waiter) return;
      exchange_->input.stop_waiting();
      if (!too_slow(exchange_->input)) return wait_for_peer(exchange_->input);
      exchange_->body_failure = 408;
      exchange_->input.since = steady_now();
      return wake_body();
    case Phase::writing:
      exchange_->output.stop_waiting();
      if (too_slow(exchange_->output)) return lost();
      return wait_for_peer(exchange_->output);
    case Phase::closed: return;
  }
}

}  // namespace payam::http
