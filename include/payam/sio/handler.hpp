// Turns what an application passes to on() and use() into the erased forms of event.hpp.
//
// An event handler takes, in this order: optionally SocketPtr; then the event's arguments, one parameter each (any type that
// sio::Converter knows; std::optional for what may be missing), or a single Arguments or json::array for all of them; then
// optionally Ack. It is a plain function or a coroutine (Task<>). What it returns, if anything, is the acknowledgement.
// A coroutine takes its parameters by value. The handler object lives until its last coroutine has ended.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "payam/sio/event.hpp"

namespace payam::sio::detail {

template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... Params>
struct Signature<R (*)(Params...)> {
  using Return = R;
  using Parameters = std::tuple<std::remove_cvref_t<Params>...>;
};
template <class R, class... Params>
struct Signature<R(Params...)> : Signature<R (*)(Params...)> {};
template <class R, class F, class... Params>
struct Signature<R (F::*)(Params...)> : Signature<R (*)(Params...)> {};
template <class R, class F, class... Params>
struct Signature<R (F::*)(Params...) const> : Signature<R (*)(Params...)> {};

template <class T>
struct TaskValue {
  using Type = T;
  static constexpr bool kIsTask = false;
};
template <class T>
struct TaskValue<Task<T>> {
  using Type = T;
  static constexpr bool kIsTask = true;
};

template <class R>
Task<> acknowledge(Task<R> task, Ack ack) {
  const R reply = co_await std::move(task);
  ack(reply);
}

// Calls `handler` with the converted arguments; an empty Task if it is done.
template <class F, class... Params>
Task<> call_and_acknowledge(F& handler, const Ack& ack, Params&&... params) {
  using Return = std::invoke_result_t<F&, Params...>;
  using Value = typename TaskValue<Return>::Type;
  if constexpr (std::is_void_v<Return>) {
    handler(std::forward<Params>(params)...);
    return {};
  } else if constexpr (!TaskValue<Return>::kIsTask) {
    ack(handler(std::forward<Params>(params)...));
    return {};
  } else if constexpr (std::is_void_v<Value>) {
    return handler(std::forward<Params>(params)...);
  } else {
    return acknowledge<Value>(handler(std::forward<Params>(params)...), ack);
  }
}

// The positions of the parameters: [socket] arguments… [ack].
template <class Parameters>
struct Layout {
  static constexpr std::size_t kCount = std::tuple_size_v<Parameters>;
  template <std::size_t I>
  using At = std::tuple_element_t<I, Parameters>;

  static constexpr bool takes_socket() {
    if constexpr (kCount == 0) {
      return false;
    } else {
      return std::is_same_v<At<0>, SocketPtr>;
    }
  }
  static constexpr bool takes_ack() {
    if constexpr (kCount == 0) {
      return false;
    } else {
      return std::is_same_v<At<kCount - 1>, Ack>;
    }
  }
  static constexpr std::size_t kFirst = takes_socket() ? 1 : 0;
  static constexpr std::size_t kArguments = kCount - kFirst - (takes_ack() ? 1 : 0);
  static constexpr bool takes_all() {
    if constexpr (kArguments != 1) {
      return false;
    } else {
      return std::is_same_v<At<kFirst>, Arguments> || std::is_same_v<At<kFirst>, json::array>;
    }
  }
};

template <class Parameters, std::size_t I>
auto parameter(HandlerCall& call) {
  using L = Layout<Parameters>;
  using T = std::tuple_element_t<I, Parameters>;
  if constexpr (std::is_same_v<T, SocketPtr>) {
    return std::expected<T, std::string>(call.socket);
  } else if constexpr (std::is_same_v<T, Ack>) {
    return std::expected<T, std::string>(call.ack);
  } else if constexpr (L::takes_all() && std::is_same_v<T, Arguments>) {
    return std::expected<T, std::string>(std::move(call.event.arguments));
  } else if constexpr (L::takes_all()) {
    return std::expected<T, std::string>(std::move(call.event.arguments.values));
  } else {
    return take_argument<T>(call.event.arguments, I - L::kFirst);
  }
}

template <class F>
ErasedHandler erase_handler(F handler) {
  using Parameters = typename Signature<F>::Parameters;
  // Shared, as std::function wants copies and a coroutine needs the one object it was started from.
  auto shared = std::make_shared<F>(std::move(handler));
  return [shared](HandlerCall& call) -> Task<> {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> Task<> {
      auto read = std::make_tuple(parameter<Parameters, I>(call)...);
      const bool fits = (std::get<I>(read).has_value() && ...);
      if (!fits) {
        ((std::get<I>(read).has_value() || !call.invalid.empty() ? void() : void(call.invalid = std::get<I>(read).error())),
         ...);
        return {};
      }
      return call_and_acknowledge(*shared, call.ack, *std::move(std::get<I>(read))...);
    }(std::make_index_sequence<std::tuple_size_v<Parameters>>{});
  };
}

template <class Return>
std::variant<Verdict, Task<Verdict>> as_verdict(Return&& verdict) {
  return std::variant<Verdict, Task<Verdict>>(std::forward<Return>(verdict));
}

// A connection middleware: (SocketPtr) → Verdict, Task<Verdict> or void.
template <class F>
ErasedConnectMiddleware erase_connect_middleware(F middleware) {
  auto shared = std::make_shared<F>(std::move(middleware));
  return [shared](const SocketPtr& socket) -> std::variant<Verdict, Task<Verdict>> {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const SocketPtr&>>) {
      (*shared)(socket);
      return Verdict{};
    } else {
      return as_verdict((*shared)(socket));
    }
  };
}

// An event middleware: (SocketPtr, Event&) or (Event&) → Verdict, Task<Verdict> or void. The event outlives the coroutine.
template <class F>
ErasedEventMiddleware erase_event_middleware(F middleware) {
  auto shared = std::make_shared<F>(std::move(middleware));
  return [shared](const SocketPtr& socket, Event& event) -> std::variant<Verdict, Task<Verdict>> {
    auto call = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<F&, const SocketPtr&, Event&>) {
        return (*shared)(socket, event);
      } else {
        return (*shared)(event);
      }
    };
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return Verdict{};
    } else {
      return as_verdict(call());
    }
  };
}

}  // namespace payam::sio::detail
