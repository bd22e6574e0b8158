// HTTP requests and responses as values. Pure: no sockets; who reads or writes them is in http/server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace payam {
class Stream;
}

namespace payam::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

// Methods are compared with case (RFC 9110 section 9.1).
Method parse_method(std::string_view name);
std::string_view to_string(Method method);  // "GET"; "" for other

// In order of arrival; names are compared without case.
class Headers {
 public:
  // The first one's value; nullopt if there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Adds a name to the response's Vary fields, unless one has it.
void add_vary(Headers& headers, std::string_view name);

// True if a comma-separated field (Connection, Upgrade, Vary) names `token`; without case.
bool has_token(std::string_view list, std::string_view token);

// ASCII letters without case, as HTTP compares names.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// `a=1&b=%D8%B3`, decoded; the same form serves queries and urlencoded bodies. Never fails: what is not percent-coding stays
// as it is, and whether the text is UTF-8 is for the reader of a field to judge.
class Query {
 public:
  static Query parse(std::string_view text);
  // The same as parse(text).find(name), without a copy, of a text in which nothing is coded (no '%', no '+').
  static std::optional<std::string_view> find_uncoded(std::string_view text, std::string_view name);
  // The first one's value; nullopt if there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

class ByteSource;

struct Request {
  Method method = Method::get;
  std::string method_name;  // as sent
  std::string target;       // as sent, query included
  std::string path;         // decoded, without query
  Query query;
  Headers headers;
  std::string body;                                         // whole; empty where the handler takes it as it arrives
  std::vector<std::pair<std::string, std::string>> params;  // of the route's pattern: {"id", "…"}
  std::string peer;                                         // address; behind a trusted proxy the forwarded one
  bool secure = false;                                      // TLS, or a trusted proxy says so
  std::string id;                                           // X-Request-ID

  // Called at most once, on the shard, if the connection ends before the response is sent.
  std::function<void()> on_abort;

  std::string_view param(std::string_view name) const;  // "" if the pattern has none such
};

// Part of an open file; closed with the response.
struct FileBody {
  std::shared_ptr<const int> descriptor;  // closes when released
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Part of what is fetched while it goes out (http/server/byte_source.hpp).
struct SourceBody {
  std::shared_ptr<ByteSource> source;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  using Body = std::variant<std::string, std::shared_ptr<const std::string>, FileBody, SourceBody>;

  int status = 200;
  Headers headers;
  Body body;

  // For 101: after its head is written the connection's stream goes to this, with bytes that came after the request.
  std::move_only_function<void(std::shared_ptr<Stream>, std::string early)> upgrade;
  // Close the connection after this response.
  bool close = false;

  static Response text(int status, std::string body, std::string_view content_type = "text/plain; charset=utf-8");
  static Response json(int status, std::string body);
};

}  // namespace payam::http
