#include "http/api/openapi.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "http/codec/fault_schema.hpp"
#include "http/status.hpp"

namespace payam::http {
namespace {

json::object reference(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// FastAPI's: `get_chat_chat_rooms__id__messages`, one for each method and path.
std::string operation_id(const Operation& operation) {
  std::string id = lower_case(to_string(operation.method));
  for (const char c : operation.path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    id += word ? c : '_';
  }
  return id;
}

// The pattern as OpenAPI writes it: "{rest...}" is "{rest}".
std::string template_of(std::string path) {
  const auto dots = path.find("...}");
  if (dots != std::string::npos) path.erase(dots, 3);
  return path;
}

json::object reply_object(const DocumentedReply& reply) {
  json::object result{
      {"description", reply.description.empty() ? std::string(reason_phrase(reply.status)) : reply.description}};
  if (!reply.content_type.empty()) {
    json::object media;
    if (reply.schema) media["schema"] = *reply.schema;
    result["content"] = json::object{{reply.content_type, std::move(media)}};
  }
  json::object headers;
  const auto header = [&](const char* name, const char* type) {
    headers[name] = json::object{{"schema", json::object{{"type", type}}}};
  };
  if (reply.status == 401) header("WWW-Authenticate", "string");
  if (reply.status == 429 || reply.status == 503) header("Retry-After", "integer");
  if (!headers.empty()) result["headers"] = std::move(headers);
  return result;
}

json::object operation_object(const Operation& operation) {
  json::object result;
  if (!operation.tag.empty()) result["tags"] = json::array{operation.tag};
  result["summary"] = operation.summary;
  if (!operation.description.empty()) result["description"] = operation.description;
  result["operationId"] = operation_id(operation);
  if (operation.bearer) {
    result["security"] = json::array{json::object{{"OAuth2PasswordBearer", json::array{}}}};
  }
  if (!operation.parameters.empty()) {
    json::array list;
    for (const auto& parameter : operation.parameters) {
      list.push_back(json::object{
          {"name", parameter.name}, {"in", parameter.in}, {"required", parameter.required}, {"schema", parameter.schema}});
    }
    result["parameters"] = std::move(list);
  }
  if (!operation.request.empty()) {
    json::object content;
    for (const auto& body : operation.request) content[body.type] = json::object{{"schema", body.schema}};
    result["requestBody"] = json::object{{"required", true}, {"content", std::move(content)}};
  }
  json::object responses;
  for (const auto& reply : operation.replies) responses[std::to_string(reply.status)] = reply_object(reply);
  result["responses"] = std::move(responses);
  return result;
}

void add_error_schemas(Schemas& schemas) {
  const json::object text{{"type", "string"}};
  schemas.add("ErrorDetail", {{"type", "object"},
                              {"title", "ErrorDetail"},
                              {"properties", json::object{{"detail", text}}},
                              {"required", json::array{"detail"}}});
  const json::object faults{{"type", "array"}, {"title", "Detail"}, {"items", fault_schema(schemas)}};
  schemas.add("HTTPValidationError",
              {{"type", "object"}, {"title", "HTTPValidationError"}, {"properties", json::object{{"detail", faults}}}});
}

}  // namespace

void OpenApi::add(Operation operation) {
  const auto ensure = [&](int status) {
    if (std::ranges::none_of(operation.replies, [&](const auto& reply) { return reply.status == status; })) {
      operation.replies.push_back({.status = status, .description = {}});
    }
  };
  if (operation.bearer) ensure(401);
  if (!operation.request.empty()) ensure(413);
  if (!operation.request.empty() || !operation.parameters.empty()) ensure(422);
  std::ranges::sort(operation.replies, {}, &DocumentedReply::status);
  for (auto& reply : operation.replies) {
    if (reply.status < 400 || !reply.content_type.empty()) continue;
    reply.content_type = "application/json";
    reply.schema = reference(reply.status == 422 ? "HTTPValidationError" : "ErrorDetail");
  }
  operations_.push_back(std::move(operation));
}

std::string OpenApi::document(const ApiInfo& info) {
  json::object paths;
  for (const auto& operation : operations_) {
    auto& item = paths[template_of(operation.path)];
    if (!item.is_object()) item.emplace_object();
    item.get_object()[lower_case(to_string(operation.method))] = operation_object(operation);
  }
  json::object about{{"title", info.title}, {"version", info.version}};
  if (!info.description.empty()) about["description"] = info.description;
  json::value document{{"openapi", "3.1.0"}, {"info", std::move(about)}, {"paths", std::move(paths)}};
  add_error_schemas(schemas_);
  json::object components{{"schemas", schemas_.finish(document)}};
  if (!info.token_url.empty()) {
    const json::object password{{"scopes", json::object{}}, {"tokenUrl", info.token_url}};
    components["securitySchemes"] = json::object{
        {"OAuth2PasswordBearer", json::object{{"type", "oauth2"}, {"flows", json::object{{"password", password}}}}}};
  }
  document.get_object()["components"] = std::move(components);
  return json::serialize(document);
}

}  // namespace payam::http
