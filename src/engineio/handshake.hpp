// The checks a request to an Engine.IO path passes before it reaches a session, in the order of the reference server, and what
// the two sides agree on at the start. Pure: who knows the sessions and the application's own check calls these in turn.
//
//   1. check_transport                      every request
//   2. with a `sid`: look the session up (unknown_sid), then check_session
//      without:      check_handshake, the application's check (forbidden), check_protocol
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "engineio/session_types.hpp"

namespace payam::eio {

enum class Refusal : std::uint8_t {
  unknown_transport = 0,
  unknown_sid = 1,
  bad_handshake_method = 2,
  bad_request = 3,
  forbidden = 4,
  unsupported_protocol = 5,
};
std::string_view message_of(Refusal refusal);
// `{"code":1,"message":"Session ID unknown"}`; `message` replaces the usual one if it is not empty.
std::string to_json(Refusal refusal, std::string_view message = {});

// What of a request the checks look at.
struct RequestFacts {
  std::optional<std::string_view> transport, eio;  // query parameters
  std::optional<std::string_view> origin;          // header
  bool get = false;                                // the method
  bool upgrade = false;                            // it asks for a websocket
};

struct EnabledTransports {
  bool polling = true;
  bool websocket = true;
  bool upgrades = true;
};

std::expected<Transport, Refusal> check_transport(const RequestFacts& request, const EnabledTransports& enabled);

// `wanted` is check_transport()'s; `present` is the session's.
std::optional<Refusal> check_session(const RequestFacts& request, Transport wanted, Transport present,
                                     const EnabledTransports& enabled);

std::optional<Refusal> check_handshake(const RequestFacts& request, Transport wanted);

// Anything but 4 is version 3, as in the reference server; which is spoken only if it is allowed.
enum class Eio3 : std::uint8_t { refused, allowed };
std::expected<Protocol, Refusal> check_protocol(const RequestFacts& request, Eio3 eio3);

// The data of the open packet.
struct OpenData {
  std::string_view sid;
  bool offer_websocket = false;
  Millis ping_interval{};
  Millis ping_timeout{};
  std::size_t max_payload = 0;
};
std::string to_json(const OpenData& open);

}  // namespace payam::eio
