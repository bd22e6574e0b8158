// What is known of the request that opened a connection.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace payam::eio {
class Session;
}  // namespace payam::eio

namespace payam::sio {

// One per Socket; lives as long as it. Does not change; read it on the socket's shard.
class Handshake {
 public:
  // `session` is the connection, whose request is kept with it.
  Handshake(std::shared_ptr<eio::Session> session, boost::json::object auth_payload);

  // What the client gave as `auth`, the payload of its CONNECT packet.
  const boost::json::object auth;

  // A header of the request, by name without case; of several the first.
  std::optional<std::string_view> header(std::string_view name) const;
  // A parameter of the request's query.
  std::optional<std::string_view> query(std::string_view name) const;
  std::string_view url() const;      // target as sent
  std::string_view address() const;  // the peer's, behind a trusted proxy the forwarded one
  bool secure() const;               // over TLS
  bool xdomain() const;              // has an Origin header
  Timestamp issued() const;

 private:
  std::shared_ptr<eio::Session> session_;
};

}  // namespace payam::sio
