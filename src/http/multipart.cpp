#include "http/multipart.hpp"

#include <algorithm>

#include "http/header_value.hpp"
#include "http/message.hpp"

namespace payam::http {

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const auto parsed = parse_header_value(content_type);
  if (!parsed || !equals_ignoring_case(parsed->value, "multipart/form-data")) return std::nullopt;
  const auto boundary = parsed->parameter("boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70 || boundary->ends_with(' ')) return std::nullopt;
  for (const char c : *boundary) {
    if (c < 0x20 || c > 0x7e) return std::nullopt;
  }
  return std::string(*boundary);
}

// The buffer begins with a CRLF of our own, so that a boundary on the first line is found like any other.
MultipartReader::MultipartReader(std::string_view boundary, Limits limits)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits), buffer_("\r\n") {}

void MultipartReader::give(std::string_view piece) {
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(piece);
}

MultipartReader::Event MultipartReader::next() {
  data_ = {};
  switch (state_) {
    case State::preamble: return preamble();
    case State::delimiter: return after_delimiter();
    case State::head: return head();
    case State::body: return body();
    case State::done: return Event::end;
    case State::failed: return Event::malformed;
  }
  return Event::malformed;
}

MultipartReader::Event MultipartReader::fail(const char* why) {
  state_ = State::failed;
  error_ = why;
  buffer_ = {};
  at_ = 0;
  return Event::malformed;
}

MultipartReader::Event MultipartReader::more() {
  return finished_ ? fail("The form ends before its last boundary") : Event::need_input;
}

MultipartReader::Event MultipartReader::preamble() {
  const auto found = rest().find(delimiter_);
  if (found == std::string_view::npos) {
    at_ += rest().size() - std::min(rest().size(), delimiter_.size() - 1);
    return more();
  }
  at_ += found + delimiter_.size();
  state_ = State::delimiter;
  return after_delimiter();
}

// `--` ends the form; else padding and a line break come before the next part's head.
MultipartReader::Event MultipartReader::after_delimiter() {
  auto text = rest();
  if (text.starts_with("--")) {
    state_ = State::done;
    return Event::end;
  }
  const auto padding = std::min(text.find_first_not_of(" \t"), text.size());
  if (padding > limits_.part_head) return fail("A boundary line is too long");
  text.remove_prefix(padding);
  if (text.size() < 2 && (text.empty() || text == "\r" || (text == "-" && padding == 0))) return more();
  if (!text.starts_with("\r\n")) return fail("A boundary is not followed by a line break");
  if (++parts_ > limits_.parts) return fail("The form has too many parts");
  at_ += padding;  // the line break stays: a part without fields begins with an empty line
  state_ = State::head;
  return head();
}

MultipartReader::Event MultipartReader::head() {
  const auto end = rest().find("\r\n\r\n");
  if (end == std::string_view::npos ? rest().size() > limits_.part_head : end > limits_.part_head) {
    return fail("The head of a part is too long");
  }
  if (end == std::string_view::npos) return more();
  if (!read_head(rest().substr(0, end))) return fail("A part has no name");
  at_ += end + 4;
  // Data may be empty, with the delimiter's line break being the head's last one: never, as the head's is its own.
  state_ = State::body;
  return Event::part;
}

// `text` is "\r\nfield\r\nfield": each line begins with its break.
bool MultipartReader::read_head(std::string_view text) {
  part_ = {};
  bool named = false;
  while (!text.empty()) {
    text.remove_prefix(2);
    const auto line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size());
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (equals_ignoring_case(name, "Content-Type")) {
      part_.content_type = std::string(value);
    } else if (equals_ignoring_case(name, "Content-Disposition")) {
      const auto parsed = parse_header_value(value, Quoting::form_data);
      if (!parsed || !equals_ignoring_case(parsed->value, "form-data")) return false;
      const auto field = parsed->parameter("name");
      if (!field || named) return false;
      named = true;
      part_.name = std::string(*field);
      if (const auto filename = parsed->parameter("filename")) part_.filename = std::string(*filename);
    }
  }
  return named;
}

MultipartReader::Event MultipartReader::body() {
  const auto text = rest();
  const auto found = text.find(delimiter_);
  if (found == 0) {
    at_ += delimiter_.size();
    state_ = State::delimiter;
    return Event::part_end;
  }
  // Without a delimiter its beginning may still stand at the end.
  const auto sure = found != std::string_view::npos ? found : text.size() - std::min(text.size(), delimiter_.size() - 1);
  if (sure == 0) return more();
  data_ = text.substr(0, sure);
  at_ += sure;
  return Event::data;
}

}  // namespace payam::http
