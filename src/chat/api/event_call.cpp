#include "chat/api/event_call.hpp"

#include <fmt/format.h>

#include "http/codec/text.hpp"

namespace payam::chat::api {
namespace {

constexpr std::string_view kInvalid = "Invalid data";

// `detail` is JSON text or empty; `code` may be empty.
void refuse(sio::Socket& socket, const sio::Ack& ack, std::string_view code, std::string_view message,
            std::string_view detail) {
  std::string text;
  if (ack) {
    text = R"({"status":"error","code":)";
    http::write_string(text, code);
    text += R"(,"message":)";
    http::write_string(text, message);
  } else {
    text = R"({"message":)";
    http::write_string(text, message);
    text += R"(,"code":)";
    http::write_string(text, code);
  }
  if (!detail.empty()) text.append(R"(,"detail":)").append(detail);
  text += '}';
  if (ack) {
    ack.raw(text);
  } else {
    socket.emit_raw("error", text);
  }
}

}  // namespace

std::string ok_ack(std::string_view object) {
  std::string text = R"({"status":"ok")";
  if (object.size() > 2) text += ',';
  text += object.substr(1);
  return text;
}

void refuse_event(sio::Socket& socket, const sio::Ack& ack, const Error& error) {
  if (error.code != Errc::invalid) return refuse(socket, ack, to_string(error.code), error.message, "");
  std::string detail;
  http::write_string(detail, error.message);
  refuse(socket, ack, to_string(error.code), kInvalid, detail);
}

void refuse_event(sio::Socket& socket, const sio::Ack& ack, const http::Faults& faults) {
  http::json::array list;
  for (const auto& fault : faults) list.push_back(http::to_json(fault));
  refuse(socket, ack, to_string(Errc::invalid), kInvalid, http::json::serialize(list));
}

void refuse_too_often(sio::Socket& socket, const sio::Ack& ack, SocketState& state, Millis wait) {
  const auto seconds = retry_after(wait).count();
  refuse_event(socket, ack, Error{Errc::rate_limited, fmt::format("Too often; try again in {} s", seconds)});
  constexpr int kWeight = 10;  // of an event that was refused, beside one that is none
  close_if_flooding(socket, state, kWeight);
}

void close_if_flooding(sio::Socket& socket, SocketState& state, int events) {
  if (state.flood.count(events, steady_now())) return;
  refuse_event(socket, {}, Error{Errc::rate_limited, "Too many events: disconnected"});
  socket.disconnect(true);
}

}  // namespace payam::chat::api
