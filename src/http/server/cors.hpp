// Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol): an exact list of origins, never with
// credentials, as only bearer tokens authenticate. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace payam::http {

class Cors {
 public:
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  // The answer to a preflight from a listed origin; nullopt for every other request.
  std::optional<Response> preflight(const Request& request) const;

  // Adds the fields to a response. One that says itself who may read it stays as it is.
  void apply(const Request& request, Response& response) const;

 private:
  bool allows(std::string_view origin) const;

  std::vector<std::string> origins_;
};

}  // namespace payam::http
