#include "http/codec/fault_schema.hpp"

#include <boost/json/array.hpp>

namespace payam::http {

json::object fault_schema(Schemas& schemas) {
  return schemas.refer("ValidationError", Direction::output, [] {
    const json::object step{{"anyOf", json::array{json::object{{"type", "string"}}, json::object{{"type", "integer"}}}}};
    return json::object{
        {"type", "object"},
        {"title", "ValidationError"},
        {"properties", json::object{{"loc", json::object{{"type", "array"}, {"title", "Location"}, {"items", step}}},
                                    {"msg", json::object{{"type", "string"}, {"title", "Message"}}},
                                    {"type", json::object{{"type", "string"}, {"title", "Error Type"}}},
                                    {"input", json::object{{"title", "Input"}}},
                                    {"ctx", json::object{{"type", "object"}, {"title", "Context"}}}}},
        {"required", json::array{"loc", "msg", "type"}}};
  });
}

}  // namespace payam::http
