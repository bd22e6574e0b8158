// The public classes: each method hands on to what stands behind it.
#include <regex>
#include <stdexcept>
#include <thread>

#include "engineio/session_types.hpp"
#include "http/message.hpp"
#include "payam/sio/server.hpp"
#include "runtime/shard_set.hpp"
#include "socketio/server/namespace_impl.hpp"
#include "socketio/server/server_impl.hpp"

namespace payam::sio {

using detail::Core;
using detail::Flags;
using detail::Gather;
using detail::NamespaceHandlers;
using detail::ServerImpl;
using detail::Target;

std::string_view to_string(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::transport_close: return "transport close";
    case DisconnectReason::transport_error: return "transport error";
    case DisconnectReason::ping_timeout: return "ping timeout";
    case DisconnectReason::forced_close: return "forced close";
    case DisconnectReason::parse_error: return "parse error";
    case DisconnectReason::buffer_overflow: return "buffer overflow";
    case DisconnectReason::client_namespace_disconnect: return "client namespace disconnect";
    case DisconnectReason::server_namespace_disconnect: return "server namespace disconnect";
    case DisconnectReason::forced_server_close: return "forced server close";
    case DisconnectReason::server_shutting_down: return "server shutting down";
  }
  return "";
}

// --- Handshake

Handshake::Handshake(std::shared_ptr<eio::Session> session, json::object auth_payload)
    : auth(std::move(auth_payload)), session_(std::move(session)) {}

std::optional<std::string_view> Handshake::header(std::string_view name) const {
  return session_->handshake().request.header(name);
}
std::optional<std::string_view> Handshake::query(std::string_view name) const {
  return session_->handshake().request.query(name);
}
std::string_view Handshake::url() const { return session_->handshake().request.target(); }
std::string_view Handshake::address() const { return session_->handshake().request.address(); }
bool Handshake::secure() const { return session_->handshake().secure; }
bool Handshake::xdomain() const { return session_->handshake().request.header("Origin").has_value(); }
Timestamp Handshake::issued() const { return session_->handshake().issued; }

// --- Conn

const std::string& Conn::id() const { return session_->id(); }
std::string_view Conn::transport() const { return eio::to_string(session_->transport()); }
bool Conn::is_open() const { return session_->is_open(); }
std::size_t Conn::buffered_bytes() const { return session_->buffered_bytes(); }

// --- BroadcastOperator

BroadcastOperator::BroadcastOperator(std::shared_ptr<detail::NamespaceImpl> nsp, Target target, Flags flags)
    : nsp_(std::move(nsp)), target_(std::move(target)), flags_(flags) {}

BroadcastOperator BroadcastOperator::to(Rooms rooms) const {
  BroadcastOperator out = *this;
  for (std::string& room : rooms.names) out.target_.rooms.push_back(std::move(room));
  return out;
}

BroadcastOperator BroadcastOperator::except(Rooms rooms) const {
  BroadcastOperator out = *this;
  for (std::string& room : rooms.names) out.target_.except.push_back(std::move(room));
  return out;
}

BroadcastOperator BroadcastOperator::volatile_() const {
  BroadcastOperator out = *this;
  out.flags_.is_volatile = true;
  return out;
}

BroadcastOperator BroadcastOperator::compress(bool on) const {
  BroadcastOperator out = *this;
  out.flags_.compress = on;
  return out;
}

BroadcastOperator BroadcastOperator::local() const {
  BroadcastOperator out = *this;
  out.flags_.local = true;
  return out;
}

BroadcastOperator BroadcastOperator::timeout(Millis limit) const {
  BroadcastOperator out = *this;
  out.flags_.timeout = limit;
  return out;
}

void BroadcastOperator::emit_arguments(std::string_view event, Arguments arguments) const {
  nsp_->broadcast(target_, flags_, event, Content(std::move(arguments)));
}

void BroadcastOperator::emit_raw(std::string_view event, std::string_view json_arguments) const {
  nsp_->broadcast(target_, flags_, event, Content(std::string(json_arguments)));
}

namespace {

using ReplyGather = Gather<Arguments>;
using SocketGather = Gather<SocketDetails>;

// Coroutines on copies: the operator they were called on may be gone when they are awaited.
Task<Replies<Arguments>> request_all(std::shared_ptr<detail::NamespaceImpl> nsp, Target target, Flags flags, std::string event,
                                     Arguments arguments) {
  auto start = [&](Completion<ReplyGather::Result> done) {
    auto shared = std::make_shared<Completion<ReplyGather::Result>>(std::move(done));
    try {
      nsp->request(std::move(target), flags, event, Content(std::move(arguments)),
                   [shared](ReplyGather::Result result) { (*shared)(std::move(result)); });
    } catch (...) {
      shared->fail(std::current_exception());
    }
  };
  auto result = co_await await_completion<ReplyGather::Result>(start);
  Replies<Arguments> out{std::move(result.items), result.expected, 0, result.timed_out};
  co_return out;
}

Task<std::vector<RemoteSocket>> fetch_all(std::shared_ptr<detail::NamespaceImpl> nsp, Target target, Flags flags) {
  auto start = [&](Completion<SocketGather::Result> done) {
    auto shared = std::make_shared<Completion<SocketGather::Result>>(std::move(done));
    try {
      nsp->fetch(std::move(target), flags, [shared](SocketGather::Result result) { (*shared)(std::move(result)); });
    } catch (...) {
      shared->fail(std::current_exception());
    }
  };
  auto result = co_await await_completion<SocketGather::Result>(start);
  std::vector<RemoteSocket> out;
  out.reserve(result.items.size());
  for (SocketDetails& details : result.items) {
    RemoteSocket& socket = out.emplace_back(nsp, std::move(details.id));
    socket.rooms = std::move(details.rooms);
    socket.auth = std::move(details.auth);
    socket.address = std::move(details.address);
    socket.data = std::move(details.data);
  }
  co_return out;
}

Task<Replies<Arguments>> request_servers(std::shared_ptr<detail::NamespaceImpl> nsp, std::string event, Arguments arguments) {
  auto start = [&](Completion<ReplyGather::Result> done) {
    auto shared = std::make_shared<Completion<ReplyGather::Result>>(std::move(done));
    nsp->server_side_request(event, std::move(arguments), nsp->core->options.adapter_timeout,
                             [shared](ReplyGather::Result result) { (*shared)(std::move(result)); });
  };
  auto result = co_await await_completion<ReplyGather::Result>(start);
  Replies<Arguments> out{std::move(result.items), result.expected, 0, result.timed_out};
  co_return out;
}

}  // namespace

Task<Replies<Arguments>> BroadcastOperator::request(std::string event, Arguments arguments) const {
  return request_all(nsp_, target_, flags_, std::move(event), std::move(arguments));
}

Task<std::vector<RemoteSocket>> BroadcastOperator::fetch_sockets() const { return fetch_all(nsp_, target_, flags_); }

void BroadcastOperator::sockets_join(Rooms rooms) const { nsp_->join(target_, flags_, std::move(rooms.names)); }
void BroadcastOperator::sockets_leave(Rooms rooms) const { nsp_->leave(target_, flags_, std::move(rooms.names)); }
void BroadcastOperator::disconnect_sockets(bool close) const { nsp_->disconnect(target_, flags_, close); }

RemoteSocket::RemoteSocket(std::shared_ptr<detail::NamespaceImpl> nsp, std::string socket_id)
    : id(std::move(socket_id)), nsp_(std::move(nsp)) {}

// --- Namespace

const std::string& Namespace::name() const { return impl_->name; }
std::size_t Namespace::local_size() const { return impl_->connected.load(std::memory_order_relaxed); }

void Namespace::on_any(std::function<void(const SocketPtr&, const Event&)> listener) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.any.push_back(std::move(listener)); });
}
void Namespace::on_error(std::function<void(const SocketPtr&, const EventError&, Ack)> listener) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.error.push_back(std::move(listener)); });
}
void Namespace::on_disconnecting(std::function<void(const SocketPtr&, DisconnectReason)> listener) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.disconnecting.push_back(std::move(listener)); });
}
void Namespace::on_disconnect(std::function<void(const SocketPtr&, DisconnectReason)> listener) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.disconnect.push_back(std::move(listener)); });
}
void Namespace::add_connection_handler(ConnectionHandler handler) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.connection.push_back(std::move(handler)); });
}
void Namespace::add_middleware(detail::ErasedConnectMiddleware middleware) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.middleware.push_back(std::move(middleware)); });
}
void Namespace::add_event_middleware(detail::ErasedEventMiddleware middleware) {
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.event_middleware.push_back(std::move(middleware)); });
}
void Namespace::add_event_handler(std::string event, detail::ErasedHandler handler) {
  const detail::Listener listener{0, false, std::make_shared<const detail::ErasedHandler>(std::move(handler))};
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.events[event].add(listener); });
}
void Namespace::add_server_event_handler(std::string event, detail::ErasedHandler handler) {
  const detail::Listener listener{0, false, std::make_shared<const detail::ErasedHandler>(std::move(handler))};
  impl_->change_handlers([&](NamespaceHandlers& handlers) { handlers.server_events[event].add(listener); });
}
void Namespace::server_side_emit_arguments(std::string_view event, Arguments arguments) const {
  impl_->server_side_emit(event, std::move(arguments));
}
Task<Replies<Arguments>> Namespace::server_side_request(std::string event, Arguments arguments) const {
  return request_servers(impl_, std::move(event), std::move(arguments));
}

// --- Server

namespace {

std::vector<Shard*> pointers(ShardSet& shards) {
  std::vector<Shard*> out;
  for (int i = 0; i < shards.size(); ++i) out.push_back(&shards[i]);
  return out;
}

std::shared_ptr<ServerImpl> make_impl(std::vector<Shard*> shards, Options options, std::unique_ptr<ShardSet> own_shards = {},
                                      std::unique_ptr<Shard> own_shard = {}) {
  auto impl = std::make_shared<ServerImpl>(std::make_shared<Core>(std::move(options), std::move(shards)));
  impl->own_shards = std::move(own_shards);
  impl->own_shard = std::move(own_shard);
  impl->start();
  return impl;
}

std::shared_ptr<ServerImpl> make_with_threads(Options options) {
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  auto shards = std::make_unique<ShardSet>(threads);
  const auto all = pointers(*shards);
  return make_impl(all, std::move(options), std::move(shards));
}

std::shared_ptr<ServerImpl> make_on_loop(asio::io_context& context, Options options) {
  auto shard = std::make_unique<Shard>(0, context);
  Shard* const only = shard.get();
  return make_impl({only}, std::move(options), {}, std::move(shard));
}

}  // namespace

Server::Server(std::shared_ptr<ServerImpl> impl) : Namespace(impl->main()), impl_(std::move(impl)) {}
Server::Server(Options options) : Server(make_with_threads(std::move(options))) {}
Server::Server(std::vector<Shard*> shards, Options options) : Server(make_impl(std::move(shards), std::move(options))) {}
Server::Server(asio::io_context& context, Options options) : Server(make_on_loop(context, std::move(options))) {}
Server::~Server() { impl_->shut_down(); }

Namespace Server::of(std::string_view name) { return Namespace(impl_->of(name)); }

Namespace Server::of_pattern(const std::string& pattern) {
  return add_parent([regex = std::regex(pattern, std::regex::ECMAScript)](std::string name, json::object) {
    return std::variant<bool, Task<bool>>(std::regex_search(name, regex));
  });
}

Namespace Server::add_parent(ParentFunction function) { return Namespace(impl_->add_parent(std::move(function))); }
void Server::on_new_namespace(std::function<void(Namespace)> listener) { impl_->on_new_namespace(std::move(listener)); }
void Server::attach(http::Router& router) { impl_->attach(router); }
std::uint16_t Server::listen(const std::string& host, std::uint16_t port, const std::optional<Tls>& tls) {
  return impl_->listen(host, port, tls);
}
bool Server::handles(std::string_view target) const { return impl_->handles(target); }
Task<http::Response> Server::handle(http::Request& request) { return impl_->handle(request); }
Shard& Server::shard() const { return impl_->here(); }
void Server::close() { impl_->close(); }
bool Server::wait(Millis limit) { return impl_->wait(limit); }
Counters Server::counters() const { return impl_->counters(); }

}  // namespace payam::sio
