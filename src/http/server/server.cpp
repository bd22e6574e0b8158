#include "http/server/server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/network.hpp"
#include "http/server/connection.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/server_state.hpp"
#include "http/status.hpp"
#include "runtime/stream.hpp"

namespace payam::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

// How many connections are taken before others get their turn.
constexpr int kAcceptBatch = 64;
// Without descriptors or memory the listener stays readable: look again after this.
constexpr Millis kAcceptPause{100};
// For handlers whose connections were cut off to come to their end.
constexpr Millis kLastWait{10'000};
// How often it is asked meanwhile whether there is still a loop to run them.
constexpr Millis kLoopsCheck{50};

asio::ip::tcp::endpoint endpoint_of(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) throw std::invalid_argument("not an address to listen on: " + options.host);
  return {address, options.port};
}

// One system call that cannot block; the peer gets it or not.
void refuse_politely(int fd, ServerState& state) {
  auto response = refuse_plainly(503);
  const auto id = state.new_request_id();
  const auto date = to_http_date(wall_now());
  auto bytes = response_head(response, body_length(response), {.date = date, .request_id = id, .close = true});
  bytes += std::get<std::string>(response.body);
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(std::vector<Shard*> list, Router router, ServerOptions options)
      : state(std::make_shared<ServerState>(std::move(list), std::move(router), std::move(options))),
        endpoint(endpoint_of(state->options)),
        home(state->shards.at(0)->shard),
        acceptor(home.executor()) {}

  void listen() {
    const auto check = [&](const boost::system::error_code& error, const char* what) {
      if (!error) return;
      throw std::system_error(
          error.value(), std::system_category(),
          fmt::format("cannot listen on {} port {}: {}", endpoint.address().to_string(), endpoint.port(), what));
    };
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    check(error, "socket");
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    acceptor.bind(endpoint, error);
    check(error, "bind");
    acceptor.listen(state->options.backlog, error);
    check(error, "listen");
    acceptor.native_non_blocking(true, error);
    bound = acceptor.local_endpoint(error).port();
    check(error, "getsockname");
    home.post([self = shared_from_this()] { self->wait(); });
  }

  void wait() {
    if (!acceptor.is_open()) return;
    acceptor.async_wait(Acceptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->accept();
    });
  }

  void accept() {
    for (int i = 0; i < kAcceptBatch; ++i) {
      if (!acceptor.is_open()) return;
      asio::ip::tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      Descriptor fd(::accept4(acceptor.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() >= 0) {
        deal(std::move(fd), unmapped(peer.address()));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return home.start_timer(pause, kAcceptPause);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        break;
      }  // anything else concerns the one connection that was to be taken
    }
    wait();
  }

  void deal(Descriptor fd, const asio::ip::address& peer) {
    // Who comes through a proxy is not known yet.
    auto held = state->census->budget.take({.network = state->proxies.trusts(peer) ? "" : network_of(peer.to_string())});
    if (!held) {
      if (!state->tls) refuse_politely(fd.get(), *state);
      return;
    }
    const auto least = std::ranges::min_element(state->census->loads, {}, [](const auto& load) { return load.load(); });
    const auto index = static_cast<std::size_t>(least - state->census->loads.begin());
    auto lease = std::make_unique<ConnectionLease>(state->census, index, std::move(*held));
    auto& shard = *state->shards[index];
    // What is posted to other shards holds the state alone: the acceptor must not outlive its own shard's loop.
    shard.shard.post([state = state, &shard, lease = std::move(lease), fd = std::move(fd)]() mutable {
      serve(state, shard, std::move(lease), std::move(fd));
    });
  }

  static void serve(const std::shared_ptr<ServerState>& state, ShardState& shard, std::unique_ptr<ConnectionLease> lease,
                    Descriptor fd) {
    auto stream = state->tls ? Stream::tls(shard.shard, std::move(fd), *state->tls) : Stream::plain(shard.shard, std::move(fd));
    auto& held = *lease;
    stream->hold(std::move(lease));
    std::make_shared<Connection>(state, shard, std::move(stream), held)->start();
  }

  template <class F>
  void for_each_connection(F visit) {
    for (const auto& shard : state->shards) {
      shard->shard.post([state = state, &shard = *shard, visit] {
        // Ending one may end others.
        std::vector<std::shared_ptr<Connection>> all;
        for (Connection* each = shard.first; each != nullptr; each = each->next()) all.push_back(each->shared_from_this());
        for (const auto& each : all) visit(*each);
      });
    }
  }

  bool loops_stopped() const {
    return std::ranges::all_of(state->shards, [](const auto& each) { return each->shard.context().stopped(); });
  }

  const std::shared_ptr<ServerState> state;
  const asio::ip::tcp::endpoint endpoint;
  Shard& home;
  Acceptor acceptor;  // its shard's thread, once listening
  MemberTimer<&Impl::wait> pause{*this};
  std::uint16_t bound = 0;
};

Server::Server(std::vector<Shard*> shards, Router router, ServerOptions options)
    : impl_(std::make_shared<Impl>(std::move(shards), std::move(router), std::move(options))) {}

Server::~Server() {
  stop();
  wait(Millis{0});
  if (!impl_->loops_stopped()) return;
  for (const auto& shard : impl_->state->shards) {
    while (shard->first != nullptr) shard->first->abandon();
  }
}

void Server::start() { impl_->listen(); }
std::uint16_t Server::port() const { return impl_->bound; }
void Server::adopt(Descriptor socket) {
  impl_->home.post([impl = impl_, socket = std::move(socket)]() mutable { impl->deal(std::move(socket), {}); });
}

std::size_t Server::connections() const { return static_cast<std::size_t>(connection_budget().held()); }
const Budget& Server::connection_budget() const { return impl_->state->census->budget; }
const Budget& Server::body_budget() const { return impl_->state->bodies; }
const Budget& Server::reply_budget() const { return impl_->state->replies; }

void Server::stop() {
  if (impl_->state->stopping.exchange(true)) return;
  impl_->home.post([impl = impl_] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    impl->pause.cancel();
  });
  impl_->for_each_connection([](Connection& connection) { connection.drain(); });
}

bool Server::wait(Millis limit) {
  if (impl_->state->wait_until_none_open(limit)) return true;
  impl_->for_each_connection([](Connection& connection) { connection.cut_off(); });
  const auto deadline = steady_now() + kLastWait;
  while (!impl_->loops_stopped() && steady_now() < deadline) {
    if (impl_->state->wait_until_none_open(kLoopsCheck)) break;
  }
  return false;
}

}  // namespace payam::http
