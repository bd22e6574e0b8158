#include "http/api/asyncapi.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace payam::http {
namespace {

json::object reference(const std::string& target) { return {{"$ref", target}}; }

// An event may go both ways under one name.
std::string client_key(const std::string& name) { return "client." + name; }
std::string server_key(const std::string& name) { return "server." + name; }
std::string ack_key(const std::string& name) { return "client." + name + ".ack"; }
constexpr std::string_view kErrorAck = "error.ack";

json::object message_object(const DescribedEvent& event) {
  json::object message{{"name", event.name}, {"title", event.name}, {"summary", event.summary}};
  if (!event.description.empty()) message["description"] = event.description;
  if (event.argument) message["payload"] = *event.argument;
  return message;
}

json::object ack_object(std::string_view name, std::string summary, json::object payload) {
  return {{"name", name}, {"title", name}, {"summary", std::move(summary)}, {"payload", std::move(payload)}};
}

// `status: "ok"` beside the result's own fields.
json::object ok_schema(json::object result) {
  const json::object status{{"type", "object"},
                            {"properties", json::object{{"status", json::object{{"const", "ok"}}}}},
                            {"required", json::array{"status"}}};
  return {{"allOf", json::array{status, std::move(result)}}};
}

json::object operation_object(const DescribedEvent& event, std::string_view action, const std::string& key) {
  json::object operation{{"action", action},
                         {"title", event.name},
                         {"channel", reference("#/channels/namespace")},
                         {"summary", event.summary},
                         {"messages", json::array{reference("#/channels/namespace/messages/" + key)}}};
  if (!event.description.empty()) operation["description"] = event.description;
  return operation;
}

json::object security_schemes(const SocketInfo& info) {
  return {{"token", json::object{{"type", "apiKey"}, {"in", "user"}, {"description", info.token}}},
          {"bearer", json::object{{"type", "http"},
                                  {"scheme", "bearer"},
                                  {"bearerFormat", "JWT"},
                                  {"description", "The same token in the header of the request that opens the connection."}}}};
}

json::object server_object(const SocketInfo& info) {
  const json::object host{{"default", "127.0.0.1:8000"}, {"description", "Where the server is reached"}};
  return {{"host", "{host}"},
          {"protocol", "ws"},
          {"protocolVersion", "Socket.IO 5, Engine.IO 4"},
          {"pathname", info.path},
          {"variables", json::object{{"host", host}}},
          {"security",
           json::array{reference("#/components/securitySchemes/token"), reference("#/components/securitySchemes/bearer")}}};
}

}  // namespace

void AsyncApi::from_client(DescribedEvent event, json::object ack) {
  from_client_.push_back({std::move(event), std::move(ack)});
}

void AsyncApi::from_server(DescribedEvent event) { from_server_.push_back(std::move(event)); }

std::string AsyncApi::document(const SocketInfo& info) {
  json::object messages, operations;
  for (const auto& [event, ack] : from_client_) {
    messages[client_key(event.name)] = message_object(event);
    messages[ack_key(event.name)] = ack_object(event.name + " (ack)", "Acknowledges `" + event.name + "`", ok_schema(ack));
    json::object operation = operation_object(event, "receive", client_key(event.name));
    operation["reply"] =
        json::object{{"channel", reference("#/channels/namespace")},
                     {"messages", json::array{reference("#/channels/namespace/messages/" + ack_key(event.name)),
                                              reference("#/channels/namespace/messages/" + std::string(kErrorAck))}}};
    operations[client_key(event.name)] = std::move(operation);
  }
  messages[kErrorAck] = ack_object("error (ack)", "The acknowledgement of an event that was refused", error_ack_);
  for (const auto& event : from_server_) {
    messages[server_key(event.name)] = message_object(event);
    operations[server_key(event.name)] = operation_object(event, "send", server_key(event.name));
  }

  json::object in_channel;
  for (const auto& [key, message] : messages) in_channel[key] = reference("#/components/messages/" + std::string(key));
  const json::object channel{{"address", info.nsp},
                             {"title", "Namespace " + info.nsp},
                             {"servers", json::array{reference("#/servers/here")}},
                             {"messages", std::move(in_channel)}};
  json::object about{{"title", info.title}, {"version", info.version}, {"description", info.description}};
  json::value document{{"asyncapi", "3.0.0"},
                       {"info", std::move(about)},
                       {"defaultContentType", "application/json"},
                       {"servers", json::object{{"here", server_object(info)}}},
                       {"channels", json::object{{"namespace", channel}}},
                       {"operations", std::move(operations)},
                       {"components", json::object{{"messages", std::move(messages)}}}};
  json::object schemas = schemas_.finish(document);
  json::object& components = document.get_object()["components"].get_object();
  components["schemas"] = std::move(schemas);
  components["securitySchemes"] = security_schemes(info);
  return json::serialize(document);
}

}  // namespace payam::http
