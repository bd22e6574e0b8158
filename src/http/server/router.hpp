// The one route table. Built before the server starts, read-only afterwards, shared by all shards.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
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

// Both run on the connection's shard. `request` lives until the response is sent. What they throw becomes a 500 (Unavailable
// and std::bad_alloc: 503, OutOfStorage: 507). The first kind is called when the request is whole; its body is `request.body`.
using Handler = std::function<Task<Response>(Shard& shard, Request& request)>;
// This kind is called as soon as the head is there; `request.body` is empty, and `body` lives as long as the request.
using StreamingHandler = std::function<Task<Response>(Shard& shard, Request& request, BodySource& body)>;

struct RouteOptions {
  std::uint64_t max_body = 1 << 20;  // bytes; more: 413
};

class Router {
 public:
  // `pattern` is "/chat/chat_rooms/{id}/messages"; "{rest...}" at the end takes the remaining segments, one at least. A
  // literal segment wins over a parameter. A slash at the end makes no difference, in the pattern or in a path: clients of
  // the original service write it both ways. Adding the same method and pattern twice is our own bug (assert).
  void add(Method method, std::string pattern, Handler handler, RouteOptions options = {});
  void add(Method method, std::string pattern, StreamingHandler handler, RouteOptions options = {});
  // Every method of one path (Engine.IO answers wrong methods itself).
  void add_any(std::string pattern, Handler handler, RouteOptions options = {});
  void add_any(std::string pattern, StreamingHandler handler, RouteOptions options = {});

  struct Route {
    std::string pattern;
    std::variant<Handler, StreamingHandler> handler;
    RouteOptions options;

    bool streams() const { return std::holds_alternative<StreamingHandler>(handler); }
    // Calls the handler, of either kind. `body` is read only by one that streams.
    Task<Response> serve(Shard& shard, Request& request, BodySource& body) const;
    // The same with a request whose body is whole, in `request.body`.
    Task<Response> serve(Shard& shard, Request& request) const;
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

  void insert(std::optional<Method> method, Route route);

  std::unique_ptr<Node> root_;
};

}  // namespace payam::http
