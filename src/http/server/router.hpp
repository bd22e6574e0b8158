// The one route table. Built before the server starts, read-only afterwards, shared by all shards.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/message.hpp"
#include "runtime/shard.hpp"
#include "runtime/task.hpp"

namespace payam::http {

// The body of a streamed request, as it arrives.
class BodySource {
 public:
  // The next piece, valid until the next call; empty at the end. Errors: too_large, bad_request (torn or malformed).
  virtual Task<Result<std::string_view>> read() = 0;

 protected:
  ~BodySource() = default;
};

// Runs on the connection's shard. `request` lives until the response is sent. What it throws becomes a 500 (Unavailable: 503).
using Handler = std::function<Task<Response>(Shard& shard, Request& request)>;

struct RouteOptions {
  std::uint64_t max_body = 1 << 20;  // bytes; more: 413
  bool stream_body = false;          // hand over `request.stream` as soon as the head is there
};

class Router {
 public:
  // `pattern` is "/chat/chat_rooms/{id}/messages"; "{rest...}" at the end takes the remaining segments, one at least. A
  // literal segment wins over a parameter. A slash at the end makes no difference, in the pattern or in a path: clients of
  // the original service write it both ways. Adding the same method and pattern twice is our own bug (assert).
  void add(Method method, std::string pattern, Handler handler, RouteOptions options = {});
  // Every method of one path (Engine.IO answers wrong methods itself).
  void add_any(std::string pattern, Handler handler, RouteOptions options = {});

  struct Route {
    std::string pattern;
    Handler handler;
    RouteOptions options;
  };
  struct Match {
    const Route* route = nullptr;  // null: no such path, or the method is not allowed there
    std::vector<std::pair<std::string, std::string>> params;
    std::string allow;  // "GET, HEAD, POST": not empty if only the method was wrong
  };
  // HEAD falls back to GET. `path` is decoded segment by segment, so that %2F stays inside a segment.
  Match match(Method method, std::string_view raw_path) const;

  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

 private:
  struct Node;
  struct Search;

  void insert(std::optional<Method> method, std::string pattern, Handler handler, RouteOptions options);

  std::unique_ptr<Node> root_;
};

}  // namespace payam::http
