#include "http/server/router.hpp"

#include <array>
#include <cassert>
#include <map>
#include <optional>

#include "http/percent.hpp"

namespace payam::http {

// A trie over path segments. Routes of one node may name its parameter differently: names stand with the route.
struct Router::Node {
  struct Endpoint {
    Route route;
    std::vector<std::string> names;  // of the parameters, from left to right
  };

  std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;
  std::array<std::optional<Endpoint>, 7> methods;
  std::optional<Endpoint> any;

  bool has_routes() const {
    for (const auto& endpoint : methods) {
      if (endpoint) return true;
    }
    return any.has_value();
  }
};

namespace {

// A body that has arrived, as one piece.
class WholeBody final : public BodySource {
 public:
  explicit WholeBody(std::string text) : text_(std::move(text)) {}

  Task<Result<std::string_view>> read() override {
    if (std::exchange(given_, true)) co_return std::string_view();
    co_return std::string_view(text_);
  }

 private:
  const std::string text_;
  bool given_ = false;
};

// "/a//b/" has the segments "a", "", "b": the slash at the end makes none of its own.
struct SplitPath {
  std::string_view text;  // all of it but the first slash
  std::vector<std::string_view> segments;
};

SplitPath split(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  SplitPath result{path, {}};
  if (path.empty()) return result;
  if (path.ends_with('/')) path.remove_suffix(1);
  for (;;) {
    const auto slash = path.find('/');
    result.segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return result;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::insert(std::optional<Method> method, Route route) {
  Node* node = root_.get();
  std::vector<std::string> names;
  for (const auto segment : split(route.pattern).segments) {
    std::unique_ptr<Node>* next;
    if (segment.starts_with('{') && segment.ends_with("...}")) {
      names.emplace_back(segment.substr(1, segment.size() - 5));
      next = &node->rest;
    } else if (segment.starts_with('{') && segment.ends_with('}')) {
      names.emplace_back(segment.substr(1, segment.size() - 2));
      next = &node->parameter;
    } else {
      next = &node->literal[std::string(segment)];
    }
    if (!*next) *next = std::make_unique<Node>();
    node = next->get();
  }
  assert(!method || *method != Method::other);
  auto& slot = method ? node->methods[static_cast<std::size_t>(*method)] : node->any;
  assert(!slot && "the same method and pattern twice");
  slot = Node::Endpoint{std::move(route), std::move(names)};
}

void Router::add(Method method, std::string pattern, Handler handler, RouteOptions options) {
  insert(method, {std::move(pattern), std::move(handler), options});
}

void Router::add(Method method, std::string pattern, StreamingHandler handler, RouteOptions options) {
  insert(method, {std::move(pattern), std::move(handler), options});
}

void Router::add_any(std::string pattern, Handler handler, RouteOptions options) {
  insert(std::nullopt, {std::move(pattern), std::move(handler), options});
}

void Router::add_any(std::string pattern, StreamingHandler handler, RouteOptions options) {
  insert(std::nullopt, {std::move(pattern), std::move(handler), options});
}

Task<Response> Router::Route::serve(Shard& shard, Request& request, BodySource& body) const {
  if (const auto* whole = std::get_if<Handler>(&handler)) return (*whole)(shard, request);
  return std::get<StreamingHandler>(handler)(shard, request, body);
}

Task<Response> Router::Route::serve(Shard& shard, Request& request) const {
  WholeBody body(streams() ? std::move(request.body) : std::string());
  co_return co_await serve(shard, request, body);
}

// Depth first, literal before parameter before rest. A path that exists without the method is remembered, and the search
// goes on: `DELETE /users/me` may be meant for `/users/{id}`.
struct Router::Search {
  Method method;
  const SplitPath& path;
  std::vector<std::string_view> values = {};
  std::array<bool, 7> allowed = {};
  const Node::Endpoint* found = nullptr;

  bool accept(const Node& node) {
    const auto pick = [&](Method wanted) -> const Node::Endpoint* {
      const auto index = static_cast<std::size_t>(wanted);
      return index < node.methods.size() && node.methods[index] ? &*node.methods[index] : nullptr;
    };
    found = pick(method);
    if (found == nullptr && method == Method::head) found = pick(Method::get);
    if (found == nullptr && node.any) found = &*node.any;
    if (found != nullptr) return true;
    for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i] = allowed[i] || node.methods[i].has_value();
    return false;
  }

  bool visit(const Node& node, std::size_t depth) {
    if (depth == path.segments.size()) return accept(node);
    const std::string_view segment = path.segments[depth];
    // Literals are compared decoded: "/%61uth" is "/auth".
    const auto literal =
        segment.find('%') == std::string_view::npos ? node.literal.find(segment) : node.literal.find(percent_decode(segment));
    if (literal != node.literal.end() && visit(*literal->second, depth + 1)) return true;
    if (node.parameter && !segment.empty()) {
      values.push_back(segment);
      if (visit(*node.parameter, depth + 1)) return true;
      values.pop_back();
    }
    if (node.rest) {
      values.emplace_back(segment.begin(), path.text.end());
      if (accept(*node.rest)) return true;
      values.pop_back();
    }
    return false;
  }
};

Router::Match Router::match(Method method, std::string_view raw_path) const {
  const auto path = split(raw_path);
  Match match;
  Search search{method, path};
  if (search.visit(*root_, 0)) {
    match.route = &search.found->route;
    for (std::size_t i = 0; i < search.values.size(); ++i) {
      match.params.emplace_back(search.found->names[i], percent_decode(search.values[i]));
    }
    return match;
  }
  if (search.allowed[static_cast<std::size_t>(Method::get)]) search.allowed[static_cast<std::size_t>(Method::head)] = true;
  for (std::size_t i = 0; i < search.allowed.size(); ++i) {
    if (!search.allowed[i]) continue;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += to_string(static_cast<Method>(i));
  }
  return match;
}

}  // namespace payam::http
