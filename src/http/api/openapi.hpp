// The OpenAPI 3.1 document, collected from the endpoints as they are registered. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/codec/schema.hpp"
#include "http/message.hpp"

namespace payam::http {

// One status an endpoint may answer with.
struct DocumentedReply {
  int status = 200;
  std::string description;
  std::string content_type = {};            // empty: JSON of the endpoint's reply type (2xx) or an error (others)
  std::optional<json::object> schema = {};  // of a JSON body, if it is not that one
};

struct Operation {
  struct Parameter {
    std::string name, in;  // "path", "query"
    bool required = true;
    json::object schema;
  };
  struct Content {
    std::string type;
    json::object schema;
  };

  Method method = Method::get;
  std::string path;  // the route's pattern
  std::string summary, description, tag;
  bool bearer = false;
  std::vector<Parameter> parameters;
  std::vector<Content> request;  // any one of them
  std::vector<DocumentedReply> replies;
};

struct ApiInfo {
  std::string title, version, description;
  std::string token_url;  // of the OAuth2 password flow, a path
};

class OpenApi {
 public:
  Schemas& schemas() { return schemas_; }
  // Adds what every operation has: 401 where a token is needed, 422 where something is parsed, 413 where there is a body.
  void add(Operation operation);
  const std::vector<Operation>& operations() const { return operations_; }

  // The JSON text. Once: it takes the schemas.
  std::string document(const ApiInfo& info);

 private:
  Schemas schemas_;
  std::vector<Operation> operations_;
};

}  // namespace payam::http
