#include "http/server/request_parser.hpp"

#include <algorithm>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/percent.hpp"

namespace payam::http {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Chunk headers and trailers: no honest one is longer.
constexpr std::size_t kMaxChunkHead = 4096;

// `0 CRLF CRLF`: Beast asserts that it never sees four bytes of it.
constexpr std::size_t kLastChunk = 5;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// `/path?query` or, as a proxy sends it, `http://host/path?query`; false for what is neither (RFC 9112 section 3.2).
bool read_target(std::string_view target, Request& request) {
  request.target = std::string(target);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() && equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      const auto slash = target.find_first_of("/?", scheme.size());
      target = slash == std::string_view::npos ? std::string_view{} : target.substr(slash);
      request.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
      target = request.target;
      break;
    }
  }
  if (target == "*" && request.method == Method::options) return true;
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos) return false;
  const auto mark = target.find('?');
  request.path = percent_decode(target.substr(0, mark));
  if (mark != std::string_view::npos) request.query = Query::parse(target.substr(mark + 1));
  return true;
}

}  // namespace

struct RequestParser::Beast final : beast::http::basic_parser<true> {
  using Error = beast::error_code;

  Request* request = nullptr;
  std::string_view data;
  std::size_t head_left = 0;
  bool head_done = false;
  bool has_length = false;
  bool old_version = false;
  std::uint64_t chunk_left = 0;  // bytes of the present chunk still due
  int hosts = 0;
  int refusal = 0;  // the status, if one of ours; the error code is then only a signal

  void refuse(int status, Error& error) {
    refusal = status;
    error = beast::http::error::bad_value;
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       Error& error) override {
    request->method_name = std::string(view(method));
    request->method = http::parse_method(request->method_name);
    old_version = version == 10;
    if (!read_target(view(target), *request)) refuse(400, error);
  }

  void on_response_impl(int, beast::string_view, int, Error&) override {}  // never: this reads requests

  void on_field_impl(beast::http::field name, beast::string_view name_text, beast::string_view value, Error& error) override {
    if (head_done) return;  // a trailer: nothing uses them
    switch (name) {
      case beast::http::field::content_length:
        // Beast takes `5, 5` and two equal fields for one.
        if (has_length || !all_digits(view(value))) return refuse(400, error);
        has_length = true;
        break;
      case beast::http::field::transfer_encoding:
        // Anything but a sole "chunked" is where two readers may differ on where the body ends.
        if (old_version || !equals_ignoring_case(view(value), "chunked")) return refuse(400, error);
        break;
      case beast::http::field::host:
        if (++hosts > 1) return refuse(400, error);
        break;
      default: break;
    }
    request->headers.add(std::string(view(name_text)), std::string(view(value)));
  }

  void on_header_impl(Error& error) override {
    head_done = true;
    if (hosts == 0 && !old_version) refuse(400, error);
  }

  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error&) override {}

  std::size_t on_body_impl(beast::string_view piece, Error&) override {
    data = view(piece);
    return piece.size();
  }

  void on_chunk_header_impl(std::uint64_t size, beast::string_view, Error&) override { chunk_left = size; }

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, Error&) override {
    chunk_left -= piece.size();
    data = view(piece);
    return piece.size();
  }

  void on_finish_impl(Error&) override {}
};

RequestParser::RequestParser(std::size_t head_limit) : beast_(std::make_unique<Beast>()) {
  beast_->header_limit(static_cast<std::uint32_t>(head_limit));
  beast_->body_limit(boost::none);  // until limit_body()
  beast_->head_left = head_limit;
}

RequestParser::~RequestParser() = default;

RequestParser::Step RequestParser::step(std::string_view input, Request& request) {
  Step step;
  step.consumed = skip_empty_lines(input);
  // Chunk headers, which give nothing to the caller, are read in this loop as well: how many come is up to the peer.
  while (step.state == State::need_more) {
    const Step next = step_once(input.substr(step.consumed), request);
    step = {next.state, step.consumed + next.consumed, next.data, next.status};
    if (next.consumed == 0) break;
  }
  return step;
}

// Before a request line they are ignored (RFC 9112 section 2.2), but count as part of the head.
std::size_t RequestParser::skip_empty_lines(std::string_view input) {
  auto& beast = *beast_;
  if (beast.got_some() || beast.is_done()) return 0;
  std::size_t skipped = 0;
  while (input.substr(skipped, 2) == "\r\n" && beast.head_left >= 2) {
    skipped += 2;
    beast.head_left -= 2;
  }
  return skipped;
}

RequestParser::Step RequestParser::step_once(std::string_view input, Request& request) {
  auto& beast = *beast_;
  if (beast.is_done()) return {State::complete, 0};
  const bool had_head = beast.head_done;
  if (!had_head && beast.head_left < 2) return {State::failed, 0, {}, 431};
  if (input.empty() || (!beast.got_some() && input == "\r")) return {};
  if (had_head && beast.chunked() && beast.chunk_left == 0 && input[0] == '0' && input.size() < kLastChunk) return {};
  beast.request = &request;
  beast.data = {};

  // Beast takes one step a call (not eager), and forgets how much the head has had.
  Step step;
  const auto offered = had_head ? input : input.substr(0, beast.head_left);
  Beast::Error error;
  step.consumed = beast.put(boost::asio::const_buffer(offered.data(), offered.size()), error);
  step.data = beast.data;

  if (error && error != beast::http::error::need_more) {
    step.state = State::failed;
    step.status = beast.refusal != 0                          ? beast.refusal
                  : error == beast::http::error::body_limit   ? 413
                  : error == beast::http::error::header_limit ? 431
                  : error == beast::http::error::bad_version  ? 505
                                                              : 400;
    return step;
  }
  if (!had_head) {
    // Beast joins folded lines (RFC 9112 section 5.2); a reader that does not would see other fields.
    const auto taken = offered.substr(0, step.consumed);
    for (const std::string_view fold : {"\r\n ", "\r\n\t"}) {
      if (taken.find(fold) != std::string_view::npos) return {State::failed, step.consumed, {}, 400};
    }
    beast.head_left -= step.consumed;
    const bool full = offered.size() - step.consumed >= beast.head_left;
    if (!beast.head_done && full) return {State::failed, step.consumed, {}, 431};
  }
  if (beast.is_done()) {
    step.state = State::complete;
  } else if (!had_head && beast.head_done) {
    step.state = State::head;
  } else if (!step.data.empty()) {
    step.state = State::body;
  } else if (had_head && input.size() - step.consumed > kMaxChunkHead && error) {
    return {State::failed, step.consumed, {}, 400};
  }
  return step;
}

void RequestParser::limit_body(std::uint64_t bytes) { beast_->body_limit(bytes); }

std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = beast_->content_length();
  if (beast_->chunked()) return std::nullopt;
  return length ? *length : 0;
}

std::optional<std::uint64_t> RequestParser::body_left() const {
  if (beast_->chunked()) return std::nullopt;
  return beast_->content_length_remaining().value_or(0);
}

bool RequestParser::keep_alive() const { return beast_->keep_alive(); }
bool RequestParser::http_1_0() const { return beast_->old_version; }
bool RequestParser::complete() const { return beast_->is_done(); }

}  // namespace payam::http
