// Socket and SocketOperator: each method hands on to SocketImpl.
#include "payam/sio/socket.hpp"

#include "payam/sio/namespace.hpp"
#include "socketio/server/socket_impl.hpp"

namespace payam::sio {

using detail::ErasedEventMiddleware;
using detail::ErasedHandler;
using detail::Flags;
using detail::Listener;
using detail::SocketHandlers;

Socket::Socket(detail::SocketImpl& impl) : impl_(impl) {}
Socket::~Socket() = default;

const std::string& Socket::id() const { return impl_.id(); }
bool Socket::connected() const { return impl_.is_connected(); }
bool Socket::recovered() const { return impl_.recovered; }
const Handshake& Socket::handshake() const { return impl_.handshake; }
Conn Socket::conn() const { return Conn(impl_.connection->session); }
Namespace Socket::nsp() const { return Namespace(impl_.nsp); }
Shard& Socket::shard() const { return impl_.part.state.shard; }
std::any& Socket::data() { return impl_.data; }

// --- Events in

Socket::ListenerId Socket::add_listener(std::string event, ErasedHandler handler, bool once) {
  SocketHandlers* own = impl_.make_own_handlers();
  if (own == nullptr) return 0;
  const ListenerId id = own->next_id++;
  own->events[std::move(event)].add({id, once, std::make_shared<const ErasedHandler>(std::move(handler))});
  return id;
}

void Socket::add_middleware(ErasedEventMiddleware middleware) {
  if (SocketHandlers* own = impl_.make_own_handlers()) own->middleware.add(std::move(middleware));
}

void Socket::off(ListenerId listener) {
  SocketHandlers* own = impl_.own_handlers();
  if (own == nullptr) return;
  for (auto& [event, list] : own->events) {
    if (list.remove_if([listener](const Listener& each) { return each.id == listener; })) return;
  }
}

void Socket::off(std::string_view event) {
  SocketHandlers* own = impl_.own_handlers();
  if (own == nullptr) return;
  if (const auto found = own->events.find(event); found != own->events.end()) own->events.erase(found);
}

Socket::ListenerId Socket::on_any(AnyListener listener) {
  SocketHandlers* own = impl_.make_own_handlers();
  if (own == nullptr) return 0;
  own->any.add({own->next_id, std::move(listener)});
  return own->next_id++;
}

Socket::ListenerId Socket::prepend_any(AnyListener listener) {
  SocketHandlers* own = impl_.make_own_handlers();
  if (own == nullptr) return 0;
  own->any.add({own->next_id, std::move(listener)}, true);
  return own->next_id++;
}

void Socket::off_any() {
  if (SocketHandlers* own = impl_.own_handlers()) own->any.clear();
}

void Socket::off_any(ListenerId listener) {
  if (SocketHandlers* own = impl_.own_handlers()) {
    own->any.remove_if([listener](const auto& each) { return each.first == listener; });
  }
}

Socket::ListenerId Socket::on_any_outgoing(AnyOutgoingListener listener) {
  SocketHandlers* own = impl_.make_own_handlers();
  if (own == nullptr) return 0;
  own->any_outgoing.add({own->next_id, std::move(listener)});
  return own->next_id++;
}

Socket::ListenerId Socket::prepend_any_outgoing(AnyOutgoingListener listener) {
  SocketHandlers* own = impl_.make_own_handlers();
  if (own == nullptr) return 0;
  own->any_outgoing.add({own->next_id, std::move(listener)}, true);
  return own->next_id++;
}

void Socket::off_any_outgoing() {
  if (SocketHandlers* own = impl_.own_handlers()) own->any_outgoing.clear();
}

void Socket::off_any_outgoing(ListenerId listener) {
  if (SocketHandlers* own = impl_.own_handlers()) {
    own->any_outgoing.remove_if([listener](const auto& each) { return each.first == listener; });
  }
}

void Socket::on_disconnecting(DisconnectListener listener) {
  if (SocketHandlers* own = impl_.make_own_handlers()) own->disconnecting.add(std::move(listener));
}

void Socket::on_disconnect(DisconnectListener listener) {
  if (SocketHandlers* own = impl_.make_own_handlers()) own->disconnect.add(std::move(listener));
}

void Socket::on_error(ErrorListener listener) {
  if (SocketHandlers* own = impl_.make_own_handlers()) own->error.add(std::move(listener));
}

// --- Events out

void Socket::emit_arguments(std::string_view event, Arguments arguments, const Flags& flags) {
  impl_.emit(event, Content(std::move(arguments)), flags);
}

void Socket::emit_raw(std::string_view event, std::string_view json_arguments) {
  impl_.emit(event, Content(std::string(json_arguments)), {});
}

Task<std::expected<Arguments, AckError>> Socket::request(SocketPtr socket, std::string event, Arguments arguments,
                                                         Flags flags) {
  using Reply = std::expected<Arguments, AckError>;
  auto start = [&](Completion<Reply> done) {
    socket->impl_.emit_with_ack(event, Content(std::move(arguments)), flags, std::move(done));
  };
  co_return co_await await_completion<Reply>(start);
}

SocketOperator Socket::timeout(Millis limit) {
  Flags flags;
  flags.timeout = limit;
  return {shared_from_this(), flags};
}

SocketOperator Socket::volatile_() {
  Flags flags;
  flags.is_volatile = true;
  return {shared_from_this(), flags};
}

SocketOperator Socket::compress(bool on) {
  Flags flags;
  flags.compress = on;
  return {shared_from_this(), flags};
}

// --- Others: the sender is left out as the room of its own id.

BroadcastOperator Socket::broadcast() { return BroadcastOperator(impl_.nsp, {{}, {id()}}); }
BroadcastOperator Socket::to(Rooms rooms) { return broadcast().to(std::move(rooms)); }
BroadcastOperator Socket::except(Rooms rooms) { return broadcast().except(std::move(rooms)); }
BroadcastOperator Socket::local() { return broadcast().local(); }

// --- Rooms

void Socket::join(const Rooms& rooms) {
  for (const std::string& room : rooms.names) impl_.part.index.join(impl_, room);
}
void Socket::leave(const Rooms& rooms) {
  for (const std::string& room : rooms.names) impl_.part.index.leave(impl_, room);
}
std::vector<std::string> Socket::rooms() const { return impl_.part.index.rooms_of(impl_); }
bool Socket::in_room(std::string_view room) const { return impl_.part.index.in_room(impl_, room); }

void Socket::disconnect(bool close) { impl_.disconnect(close); }

// --- SocketOperator

SocketOperator SocketOperator::timeout(Millis limit) const {
  SocketOperator out = *this;
  out.flags_.timeout = limit;
  return out;
}

SocketOperator SocketOperator::volatile_() const {
  SocketOperator out = *this;
  out.flags_.is_volatile = true;
  return out;
}

SocketOperator SocketOperator::compress(bool on) const {
  SocketOperator out = *this;
  out.flags_.compress = on;
  return out;
}

void SocketOperator::emit_raw(std::string_view event, std::string_view json_arguments) const {
  socket_->impl_.emit(event, Content(std::string(json_arguments)), flags_);
}

BroadcastOperator SocketOperator::broadcast() const {
  return BroadcastOperator(socket_->impl_.nsp, {{}, {socket_->id()}}, flags_);
}
BroadcastOperator SocketOperator::to(Rooms rooms) const { return broadcast().to(std::move(rooms)); }
BroadcastOperator SocketOperator::except(Rooms rooms) const { return broadcast().except(std::move(rooms)); }

}  // namespace payam::sio
