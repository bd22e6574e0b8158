// HTTP requests. The first byte says in what pieces the rest arrives; however it is cut, the outcome is the same as in one
// piece.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "http/server/request_parser.hpp"

using namespace payam::http;
using State = RequestParser::State;

namespace {

constexpr std::size_t kHeadLimit = 1024;
constexpr std::uint64_t kBodyLimit = 2048;

struct Outcome {
  State state = State::need_more;
  int status = 0;
  Request request;
  std::string body;
  std::size_t consumed = 0;
};

Outcome read(std::string_view bytes, std::size_t piece) {
  Outcome outcome;
  RequestParser parser(kHeadLimit);
  std::string pending;
  while (outcome.state != State::complete && outcome.state != State::failed) {
    const auto step = parser.step(pending, outcome.request);
    REQUIRE(step.consumed <= pending.size());
    REQUIRE(step.data.empty() ||
            (step.data.data() >= pending.data() && step.data.data() + step.data.size() <= pending.data() + pending.size()));
    outcome.body += step.data;
    outcome.consumed += step.consumed;
    pending.erase(0, step.consumed);
    outcome.state = step.state;
    outcome.status = step.status;
    if (step.state == State::head) parser.limit_body(kBodyLimit);
    if (step.state != State::need_more) continue;
    if (bytes.empty()) break;
    pending += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(bytes, bytes.size() + 1);
  const auto cut = read(bytes, 1 + data[0] % 64);
  REQUIRE((whole.state == State::complete) == (cut.state == State::complete));
  REQUIRE(whole.body.size() <= kBodyLimit);
  if (whole.state == State::complete) {
    REQUIRE(whole.consumed == cut.consumed);
    REQUIRE(whole.body == cut.body);
    REQUIRE(whole.request.headers.all() == cut.request.headers.all());
    REQUIRE(whole.request.target == cut.request.target);
    // What a proxy in front might read otherwise never gets here.
    int lengths = 0;
    for (const auto& [name, value] : whole.request.headers.all()) {
      lengths += equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding");
      REQUIRE(value.find('\r') == value.npos && value.find('\n') == value.npos && value.find('\0') == value.npos);
    }
    REQUIRE(lengths <= 1);
  }
  if (whole.state == State::failed) REQUIRE(whole.status >= 400 && whole.status < 600);
  return 0;
}
