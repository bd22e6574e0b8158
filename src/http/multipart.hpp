// multipart/form-data (RFC 7578 over RFC 2046 section 5.1), read piece by piece in constant memory.
//
//   body := [preamble CRLF] "--" boundary CRLF part *( CRLF "--" boundary CRLF part ) CRLF "--" boundary "--" [epilogue]
//   part := *( field CRLF ) CRLF data
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace payam::http {

// The boundary of a `multipart/form-data` content type; nullopt for another type or a boundary that is none.
std::optional<std::string> multipart_boundary(std::string_view content_type);

class MultipartReader {
 public:
  struct Limits {
    std::size_t part_head = 8 * 1024;  // bytes
    std::size_t parts = 100;
  };

  enum class Event {
    need_input,  // give() more, or finish()
    part,        // part() has begun
    data,        // data() belongs to it; valid until the next call
    part_end,
    end,        // the closing boundary; what follows is nobody's business
    malformed,  // for good: no boundary at the end, no name, over a limit; see error()
  };

  struct Part {
    std::string name;
    std::optional<std::string> filename;  // as sent, may be anything; `filename*` is ignored (RFC 7578 section 4.2)
    std::string content_type;             // the client's word; empty if it said none
  };

  explicit MultipartReader(std::string_view boundary) : MultipartReader(boundary, Limits{}) {}
  MultipartReader(std::string_view boundary, Limits limits);

  // Only after need_input. The bytes are copied.
  void give(std::string_view piece);
  // The body has ended.
  void finish() { finished_ = true; }

  Event next();
  const Part& part() const { return part_; }
  std::string_view data() const { return data_; }
  const char* error() const { return error_; }  // for people

 private:
  enum class State { preamble, delimiter, head, body, done, failed };

  Event preamble();
  Event after_delimiter();
  Event head();
  Event body();
  Event more();
  Event fail(const char* why);
  bool read_head(std::string_view text);
  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }

  const std::string delimiter_;  // CRLF "--" boundary
  const Limits limits_;
  State state_ = State::preamble;
  std::string buffer_;  // at most one piece and what a delimiter or a head may need
  std::size_t at_ = 0;  // up to here it is used
  bool finished_ = false;
  std::size_t parts_ = 0;
  Part part_;
  std::string_view data_;
  const char* error_ = "";
};

}  // namespace payam::http
