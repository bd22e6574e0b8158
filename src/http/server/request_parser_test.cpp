#include "http/server/request_parser.hpp"

#include <gmock/gmock.h>

namespace payam::http {
namespace {

using testing::ElementsAre;
using testing::Pair;
using State = RequestParser::State;

struct Outcome {
  State state = State::need_more;
  int status = 0;
  Request request;
  std::string body;
  std::string left;  // not consumed
};

// Offers the bytes in pieces of `step`, as a connection does.
Outcome parse(std::string_view bytes, std::size_t step = 1 << 20, std::size_t head_limit = 4096) {
  Outcome outcome;
  RequestParser parser(head_limit);
  std::string pending;
  while (outcome.state != State::complete && outcome.state != State::failed) {
    const auto result = parser.step(pending, outcome.request);
    outcome.body += result.data;
    outcome.state = result.state;
    outcome.status = result.status;
    pending.erase(0, result.consumed);
    if (result.state != State::need_more) continue;
    if (bytes.empty()) break;
    pending += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  outcome.left = pending + std::string(bytes);
  return outcome;
}

int refusal(std::string_view bytes) {
  const int whole = parse(bytes).status;
  EXPECT_EQ(parse(bytes, 1).status, whole) << bytes;
  return whole;
}

constexpr std::string_view kPost =
    "POST /a%20b?q=%D8%B3 HTTP/1.1\r\nHost: x\r\nX-Thing:  two words \r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n";

TEST(RequestParser, ReadsARequestHoweverItIsCut) {
  for (const std::size_t step : {1u, 2u, 3u, 7u, 50u, 1000u}) {
    const auto outcome = parse(kPost, step);
    ASSERT_EQ(outcome.state, State::complete) << step;
    EXPECT_EQ(outcome.request.method, Method::post);
    EXPECT_EQ(outcome.request.path, "/a b");
    EXPECT_EQ(outcome.request.target, "/a%20b?q=%D8%B3");
    EXPECT_EQ(outcome.request.query.find("q"), "س");
    EXPECT_THAT(outcome.request.headers.all(),
                ElementsAre(Pair("Host", "x"), Pair("X-Thing", "two words"), Pair("Content-Length", "5")));
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(outcome.left, "GET / HTTP/1.1\r\n");
  }
}

TEST(RequestParser, ReadsChunkedBodiesWithExtensionsAndTrailers) {
  constexpr std::string_view kChunked =
      "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nrest";
  for (const std::size_t step : {1u, 2u, 5u, 1000u}) {
    const auto outcome = parse(kChunked, step);
    ASSERT_EQ(outcome.state, State::complete) << step;
    EXPECT_EQ(outcome.body, "hello 0123456789");
    EXPECT_EQ(outcome.left, "rest");
    EXPECT_FALSE(outcome.request.headers.has("X-Sum"));
  }
}

TEST(RequestParser, EmptyLinesBeforeARequestAreSkipped) {
  for (const std::size_t step : {1u, 1000u}) {
    EXPECT_EQ(parse("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", step).state, State::complete);
  }
}

// How many there are is up to the peer: neither the stack nor the time may depend on it.
TEST(RequestParser, EmptyLinesAndChunksMayBeMany) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "\r\n";
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(parse(lines + request, 1 << 20, 1 << 20).state, State::complete);

  std::string chunks = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10'000; ++i) chunks += "1\r\nx\r\n";
  EXPECT_EQ(parse(chunks + "0\r\n\r\n").body, std::string(10'000, 'x'));
}

TEST(RequestParser, EmptyLinesCountAsPartOfTheHead) {
  std::string lines;
  for (int i = 0; i < 2048; ++i) lines += "\r\n";
  for (const std::size_t limit : {4096u, 4097u}) {
    for (const std::size_t step : {1u, 1000u, 100'000u}) {
      EXPECT_EQ(parse(lines + "GET / HTTP/1.1\r\nHost: x\r\n\r\n", step, limit).status, 431) << step;
    }
  }
  EXPECT_EQ(parse(lines.substr(0, 2000) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n").state, State::complete);
}

TEST(RequestParser, AnAbsoluteTargetIsReadAsItsPath) {
  const auto outcome = parse("GET http://host:80/p/q?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(outcome.request.target, "/p/q?x=1");
  EXPECT_EQ(outcome.request.path, "/p/q");
  EXPECT_EQ(parse("GET HTTP://host HTTP/1.1\r\nHost: x\r\n\r\n").request.path, "/");
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").state, State::complete);
}

TEST(RequestParser, RefusesWhatTwoReadersMightReadDifferently) {
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (const std::string fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                   "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                                   "Content-Length: 5\r\nContent-Length: 5\r\n",
                                   "Content-Length: 5\r\nContent-Length: 6\r\n",
                                   "Content-Length: 5, 5\r\n",
                                   "Content-Length: +5\r\n",
                                   "Content-Length: -5\r\n",
                                   "Content-Length: 5 5\r\n",
                                   "Content-Length: 0x5\r\n",
                                   "Content-Length:\r\n",
                                   "Content-Length: 99999999999999999999\r\n",
                                   "Content-Length: 5\r\ncontent-length: 5\r\n",
                                   "Transfer-Encoding: gzip\r\n",
                                   "Transfer-Encoding: gzip, chunked\r\n",
                                   "Transfer-Encoding: chunked, chunked\r\n",
                                   "Transfer-Encoding: identity\r\n",
                                   "Transfer-Encoding: xchunked\r\n",
                                   "Transfer-Encoding: \x0b"
                                   "chunked\r\n",
                                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                   "Transfer-Encoding:\r\n",
                                   "Transfer-Encoding : chunked\r\n",
                                   "Content-Length : 5\r\n",
                                   " Content-Length: 5\r\n",
                                   "X\r\n",
                                   ": x\r\n",
                                   "X: a\rb\r\n",
                                   "X: a\nContent-Length: 5\r\n",
                                   "X\x01: a\r\n",
                                   "Host: y\r\n"}) {
    EXPECT_EQ(refusal(start + fields + "\r\nhello"), 400) << fields;
  }
}

TEST(RequestParser, RefusesMalformedStarts) {
  for (const std::string_view bytes :
       {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\r\n\r\n", "G@T / HTTP/1.1\r\nHost: x\r\n\r\n", " / HTTP/1.1\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",  // no Host
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}) {
    EXPECT_EQ(refusal(bytes), 400) << bytes;
  }
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesMalformedChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"x\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\n", "5\nhello\r\n", "fffffffffffffffff\r\n", "\r\n",
                                 "5 5\r\nhello\r\n", "0\r\nContent-Length: 3\r\n\r\n", "0\r\nbad trailer\r\n\r\n"}) {
    EXPECT_EQ(refusal(head + body), 400) << body;
  }
  EXPECT_EQ(refusal(head + "5;" + std::string(5000, 'x')), 400);
  EXPECT_EQ(refusal(head + "0\r\n" + std::string(5000, 'x')), 400);
}

TEST(RequestParser, AChunkedBodyIsRefusedAtTheHeaderOfTheChunkThatIsTooMuch) {
  RequestParser parser(4096);
  Request request;
  std::string_view bytes = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\n";
  auto step = parser.step(bytes, request);
  ASSERT_EQ(step.state, State::head);
  parser.limit_body(5);
  bytes.remove_prefix(step.consumed);
  step = parser.step(bytes, request);
  EXPECT_EQ(step.data, "abc");
  bytes.remove_prefix(step.consumed);
  EXPECT_EQ(parser.step(bytes, request).status, 413);
}

TEST(RequestParser, TheHeadHasALimit) {
  const std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  std::string fields;
  while (fields.size() < 5000) fields += "X-Field: 0123456789\r\n";
  for (const std::size_t step : {1u, 100u, 100000u}) {
    EXPECT_EQ(parse(many + fields + "\r\n", step).status, 431) << step;
    EXPECT_EQ(parse("GET /" + std::string(5000, 'a'), step).status, 431) << step;
    EXPECT_EQ(parse(many + "X: " + std::string(5000, 'a'), step).status, 431) << step;
  }
  // The body does not count.
  EXPECT_EQ(parse(many + "Content-Length: 6000\r\n\r\n" + std::string(6000, 'b')).state, State::complete);
}

TEST(RequestParser, SaysWhetherTheConnectionGoesOn) {
  const auto keeps = [](std::string_view bytes) {
    RequestParser parser(4096);
    Request request;
    EXPECT_EQ(parser.step(bytes, request).state, State::complete);
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

}  // namespace
}  // namespace payam::http
