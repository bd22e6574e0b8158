// The AsyncAPI 3.0 document of a Socket.IO namespace, collected from its events as they are registered. Pure.
//
// One channel is the namespace. An event a client emits is an operation `receive` whose reply is the acknowledgement or the
// error; one the server emits is an operation `send`. A message's payload is the event's one argument.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/codec/schema.hpp"

namespace payam::http {

struct DescribedEvent {
  std::string name;
  std::string summary;
  std::string description = {};
  std::optional<json::object> argument = {};  // its schema; nullopt: the event has none
};

struct SocketInfo {
  std::string title, version, description;
  std::string path;       // where the connection is opened: "/socket.io/"
  std::string nsp = "/";  // the namespace
  std::string token;      // how a client says who it is
};

class AsyncApi {
 public:
  Schemas& schemas() { return schemas_; }

  // `ack`: the schema of what a successful acknowledgement says.
  void from_client(DescribedEvent event, json::object ack);
  void from_server(DescribedEvent event);
  // What every acknowledgement says that refuses.
  void set_error_ack(json::object schema) { error_ack_ = std::move(schema); }

  // The JSON text. Once: it takes the schemas.
  std::string document(const SocketInfo& info);

 private:
  struct ClientEvent {
    DescribedEvent event;
    json::object ack;
  };

  Schemas schemas_;
  std::vector<ClientEvent> from_client_;
  std::vector<DescribedEvent> from_server_;
  json::object error_ack_;
};

}  // namespace payam::http
