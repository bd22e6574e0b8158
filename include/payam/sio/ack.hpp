// Acknowledgements: what a handler answers with, and what comes back from emit_with_ack().
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payam/sio/json.hpp"

namespace payam::sio {

namespace detail {
// Where an acknowledgement goes. Any thread; only the first call of either has an effect.
class AckSink {
 public:
  virtual ~AckSink() = default;
  virtual void send(Arguments arguments) = 0;
  virtual void send_raw(std::string_view json_arguments) = 0;
  // A single argument without attachments.
  virtual void send_value(const json::value& argument) { send(make_arguments(argument)); }
};
}  // namespace detail

// Answers one event. Cheap to copy; may be kept and called later, from any thread. Sent once, however often it is called;
// without effect when the sender asked for none or has gone.
class Ack {
 public:
  Ack() = default;
  explicit Ack(std::shared_ptr<detail::AckSink> sink) : sink_(std::move(sink)) {}

  // Whether the sender asked for an acknowledgement.
  explicit operator bool() const { return sink_ != nullptr; }

  template <class... Args>
  void operator()(const Args&... args) const {
    if (sink_ == nullptr) return;
    if constexpr (sizeof...(Args) == 1 && (std::is_same_v<Args, json::value> && ...)) {
      sink_->send_value(args...);
    } else {
      sink_->send(make_arguments(args...));
    }
  }

  // The arguments as JSON text already, separated by commas, without brackets: `{"status":"ok"}`. Not checked.
  void raw(std::string_view json_arguments) const {
    if (sink_) sink_->send_raw(json_arguments);
  }

 private:
  std::shared_ptr<detail::AckSink> sink_;
};

// Why emit_with_ack() has no reply. A value.
struct AckError {
  enum class Kind { timed_out, disconnected, invalid };
  Kind kind = Kind::timed_out;
  std::string detail;  // with `invalid`: what of the reply did not fit
};

// What came back from many sockets (or servers) before the time-out. A value.
template <class Reply>
struct Replies {
  std::vector<Reply> replies;
  std::size_t expected = 0;  // receivers of the event
  std::size_t invalid = 0;   // replies that do not fit Reply, left out
  bool timed_out = false;    // not all answered in time
};

}  // namespace payam::sio
