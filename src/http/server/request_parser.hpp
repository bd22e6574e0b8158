// One HTTP/1.x request out of bytes (RFC 9112). Beast does the grammar; what it lets pass and a proxy in front of us might
// read otherwise (request smuggling) is refused here. No sockets, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/message.hpp"

namespace payam::http {

class RequestParser {
 public:
  // `head_limit` in bytes: request line and fields together.
  explicit RequestParser(std::size_t head_limit);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class State {
    need_more,  // all that could be used is consumed; call again with the rest and more
    head,       // of a request with a body, just completed
    body,       // a piece is in `data`
    complete,   // and the last piece may be in `data`
    failed,     // for good: answer `status` and close
  };
  struct Step {
    State state = State::need_more;
    std::size_t consumed = 0;
    std::string_view data = {};  // points into the input
    int status = 0;
  };

  // One step. `request` gets the method, the target, path and query, and the fields; the same one every time.
  Step step(std::string_view input, Request& request);

  // After the head. A chunked body over the limit fails with 413, at the header of the chunk that is too much.
  void limit_body(std::uint64_t bytes);
  std::optional<std::uint64_t> content_length() const;  // nullopt if chunked
  std::optional<std::uint64_t> body_left() const;       // of it; nullopt if chunked
  bool keep_alive() const;
  bool http_1_0() const;
  bool complete() const;

 private:
  struct Beast;

  std::size_t skip_empty_lines(std::string_view input);
  Step step_once(std::string_view input, Request& request);

  std::unique_ptr<Beast> beast_;
};

}  // namespace payam::http
