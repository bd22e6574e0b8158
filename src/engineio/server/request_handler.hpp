// What an Engine.IO path answers: checks a request, brings it to its session's shard and the answer back.
#pragma once

#include <memory>
#include <vector>

#include "engineio/server/home.hpp"
#include "http/server/router.hpp"

namespace payam::eio {

// Immutable; shared by all shards.
class RequestHandler {
 public:
  // `homes[i]->index()` is i.
  RequestHandler(std::shared_ptr<Common> common, std::vector<std::shared_ptr<Home>> homes);

  // One request, on its connection's shard.
  Task<http::Response> handle(Shard& shard, http::Request& request, http::BodySource& body) const;

 private:
  struct Asked;
  struct Admitted;
  struct Body;

  Task<http::Response> answer(Home& here, http::Request& request, http::BodySource& body) const;
  Task<http::Response> handshake(Home& here, http::Request& request, Asked asked) const;
  Task<http::Response> upgrade(Home& here, http::Request& request, Asked asked) const;
  Task<http::Response> poll(http::Request& request, Asked asked) const;
  Task<Body> read_body(http::BodySource& source, std::string address, std::size_t max_bytes) const;
  Task<http::Response> post(http::Request& request, http::BodySource& source, Asked asked) const;
  Home& home_of(const Shard& shard) const;

  const std::shared_ptr<Common> common_;
  const std::vector<std::shared_ptr<Home>> homes_;
};

}  // namespace payam::eio
