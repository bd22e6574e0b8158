// An event's way through a socket: catch-all listeners, middleware of the namespace and of the socket, then the handlers. What
// is synchronous runs at once; from the first asynchronous middleware on the rest is a coroutine.
#include <utility>

#include "socketio/server/socket_impl.hpp"

namespace payam::sio::detail {
namespace {

// Answers a client's event; may be called from any thread, after the socket has gone too.
class SocketAck final : public AckSink {
 public:
  SocketAck(std::weak_ptr<Socket> socket, Shard& shard, std::uint64_t id)
      : socket_(std::move(socket)), shard_(shard), id_(id) {}

  void send(Arguments arguments) override { send_content(Content(std::move(arguments))); }
  void send_raw(std::string_view json_arguments) override { send_content(Content(std::string(json_arguments))); }
  void send_value(const json::value& argument) override {
    if (!shard_.here()) return send(make_arguments(argument));
    if (sent_.test_and_set()) return;
    if (const SocketPtr socket = socket_.lock()) socket->impl().send_ack(id_, argument);
  }

 private:
  void send_content(Content content) {
    if (sent_.test_and_set()) return;
    if (shard_.here()) {
      if (const SocketPtr socket = socket_.lock()) socket->impl().send_ack(id_, std::move(content));
      return;
    }
    // Locked only there: the last owner of a socket must let go of it on its shard.
    shard_.post([socket = socket_, id = id_, content = std::move(content)]() mutable {
      if (const SocketPtr held = socket.lock()) held->impl().send_ack(id, std::move(content));
    });
  }

  std::weak_ptr<Socket> socket_;
  Shard& shard_;
  const std::uint64_t id_;
  std::atomic_flag sent_;
};

}  // namespace

void SocketImpl::on_event(const SocketPtr& keep, Packet& packet) {
  part.state.counts.events += 1;
  Ack ack;
  if (packet.id) ack = Ack(std::make_shared<SocketAck>(socket_.weak_from_this(), part.state.shard, *packet.id));
  if (!packet.fault.empty()) {
    return report_error({EventError::Kind::invalid, std::move(packet.event), std::move(packet.fault), nullptr}, ack);
  }
  Event event{std::move(packet.event), std::move(packet.arguments), packet.id.has_value()};
  call_any(event);
  if (!is_connected()) return;

  const OwnMiddleware own = own_ != nullptr ? own_->middleware.get() : nullptr;
  if (handlers->event_middleware.empty() && own == nullptr) return call_handlers(keep, event, ack);
  // A middleware that is a coroutine refers to the event while it is suspended.
  const auto shared = std::make_shared<Event>(std::move(event));
  std::size_t next = 0;
  Verdict refusal;
  if (auto pending = run_middleware(next, own, *shared, refusal)) {
    return spawn("event middleware", await_middleware(keep, next, own, *std::move(pending), shared, ack), own, shared->name,
                 ack);
  }
  if (refusal) return refuse(*shared, *std::move(refusal), ack);
  if (is_connected()) call_handlers(keep, *shared, ack);
}

void SocketImpl::call_any(const Event& event) {
  const auto call = [&](const auto& listener, const auto&... arguments) {
    try {
      listener(arguments...);
    } catch (...) {
      part.core.report("catch-all listener", std::current_exception());
    }
  };
  for (const auto& listener : handlers->any) call(listener, self(), event);
  if (own_ == nullptr || own_->any.empty()) return;
  const auto listeners = own_->any.get();
  for (const auto& [id, listener] : *listeners) call(listener, event);
}

// Runs middleware from `next` on until one refuses, all are through, or one has to be awaited: that one is returned.
std::optional<Task<Verdict>> SocketImpl::run_middleware(std::size_t& next, const OwnMiddleware& own, Event& event,
                                                        Verdict& refusal) {
  const auto& shared = handlers->event_middleware;
  const std::size_t count = shared.size() + (own != nullptr ? own->size() : 0);
  while (next < count && !refusal) {
    const auto& middleware = next < shared.size() ? shared[next] : (*own)[next - shared.size()];
    ++next;
    try {
      auto result = middleware(self(), event);
      if (auto* task = std::get_if<Task<Verdict>>(&result)) return std::move(*task);
      refusal = std::get<Verdict>(std::move(result));
    } catch (...) {
      part.core.report("event middleware", std::current_exception());
      refusal = Refusal{"internal error", nullptr};
    }
  }
  return std::nullopt;
}

Task<> SocketImpl::await_middleware(SocketPtr keep, std::size_t next, OwnMiddleware own, Task<Verdict> first,
                                    std::shared_ptr<Event> event, Ack ack) {
  std::optional<Task<Verdict>> pending(std::move(first));
  Verdict refusal;
  while (pending) {
    refusal = co_await *std::exchange(pending, std::nullopt);
    if (!refusal && is_connected()) pending = run_middleware(next, own, *event, refusal);
  }
  if (refusal) {
    refuse(*event, *std::move(refusal), ack);
  } else if (is_connected()) {
    call_handlers(keep, *event, ack);
  }
}

void SocketImpl::refuse(const Event& event, Refusal refusal, const Ack& ack) {
  report_error({EventError::Kind::refused, event.name, std::move(refusal.message), std::move(refusal.data)}, ack);
}

// Uses the event up.
void SocketImpl::call_handlers(const SocketPtr& keep, Event& event, const Ack& ack) {
  const std::vector<Listener>* shared = nullptr;
  SharedList<Listener>::List own;
  if (const auto found = handlers->events.find(event.name); found != handlers->events.end()) shared = found->second.get().get();
  if (own_ != nullptr) {
    const auto found = own_->events.find(event.name);
    if (found != own_->events.end()) {
      own = found->second.get();
      if (found->second.remove_if([](const Listener& listener) { return listener.once; }) && found->second.empty()) {
        own_->events.erase(found);
      }
    }
  }
  std::size_t left = (shared != nullptr ? shared->size() : 0) + (own != nullptr ? own->size() : 0);
  for (const auto* list : {shared, own.get()}) {
    if (list == nullptr) continue;
    for (const Listener& listener : *list) {
      if (!is_connected()) return;
      // Each its own arguments; the last may have the original.
      if (--left == 0) return call_handler(keep, listener.handler, event, ack);
      Event copy = event;
      call_handler(keep, listener.handler, copy, ack);
    }
  }
}

void SocketImpl::call_handler(const SocketPtr& keep, const std::shared_ptr<const ErasedHandler>& handler, Event& event,
                              const Ack& ack) {
  HandlerCall call{keep, event, ack};
  try {
    if (Task<> task = (*handler)(call); task.valid()) {
      spawn("event handler", std::move(task), handler, std::move(event.name), ack);
    } else if (!call.invalid.empty()) {
      report_error({EventError::Kind::invalid, event.name, std::move(call.invalid), nullptr}, ack);
    }
  } catch (...) {
    failed("event handler", event.name, std::current_exception(), ack);
  }
}

void SocketImpl::spawn(std::string_view where, Task<> task, std::shared_ptr<const void> keep, std::string event, Ack ack) {
  if (!connection->begin_handler()) {
    report_error({EventError::Kind::overloaded, std::move(event), "too many handlers are running", nullptr}, ack);
    return connection->close_overloaded();
  }
  part.core.spawn(part.state.shard, std::move(task),
                  [this, where, socket = self(), keep = std::move(keep), event = std::move(event),
                   ack = std::move(ack)](const std::exception_ptr& error) {
                    connection->end_handler();
                    if (error) failed(where, event, error, ack);
                  });
}

void SocketImpl::failed(std::string_view where, std::string_view event, const std::exception_ptr& error, const Ack& ack) {
  part.core.report(where, error);
  report_error({EventError::Kind::failed, std::string(event), "the handler failed", nullptr}, ack);
}

void SocketImpl::report_error(const EventError& error, const Ack& ack) {
  part.state.counts.events_invalid += 1;
  const auto call = [&](const auto& listener, const auto&... arguments) {
    try {
      listener(arguments...);
    } catch (...) {
      part.core.report("error listener", std::current_exception());
    }
  };
  const SocketPtr keep = self();
  for (const auto& listener : handlers->error) call(listener, keep, error, ack);
  if (own_ == nullptr || own_->error.empty()) return;
  const auto listeners = own_->error.get();
  for (const auto& listener : *listeners) call(listener, error, ack);
}

}  // namespace payam::sio::detail
