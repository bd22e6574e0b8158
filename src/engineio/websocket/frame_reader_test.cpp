#include "engineio/websocket/frame_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace payam::eio::websocket {
namespace {

using namespace std::string_literals;

constexpr std::string_view kKey = "\x37\xfa\x21\x3d";

// A client's frame. `first` is the whole first byte.
std::string frame(int first, std::string_view payload, std::string_view key = kKey) {
  std::string out{static_cast<char>(first)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() <= 0xffff) {
    out += '\xfe';
    for (int shift = 8; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xff);
  } else {
    out += '\xff';
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xff);
  }
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
  return out;
}

std::string close_frame(int code, std::string_view reason = "") {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason));
}

// Writes down what it is told: t(text) b(binary) z(compressed) ping(…) pong(…) close(code reason).
struct Log final : FrameSink {
  std::string text;
  int stop_after = -1;

  bool note(std::string_view what, std::string_view data) {
    text += std::string(what) + "(" + std::string(data) + ")";
    return stop_after < 0 || --stop_after > 0;
  }
  bool on_message(const Message& message) override {
    return note(std::string(message.compressed ? "z" : "") + (message.binary ? "b" : "t"), message.data);
  }
  bool on_ping(std::string_view payload) override { return note("ping", payload); }
  bool on_pong(std::string_view payload) override { return note("pong", payload); }
  void on_close(CloseCode code, std::string_view reason) override {
    note("close", std::to_string(static_cast<int>(code)) + " " + std::string(reason));
  }
};

struct Outcome {
  std::string log;
  std::optional<CloseCode> failure;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string bytes, std::size_t step, FrameReader::Limits limits) {
  Log log;
  FrameReader reader(limits);
  std::optional<CloseCode> failure;
  for (std::size_t at = 0; at < bytes.size() && !failure; at += step) {
    failure = reader.feed(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)), log);
  }
  return {log.text, failure};
}

// The result, which must not depend on how the bytes were cut.
Outcome read(const std::string& bytes, FrameReader::Limits limits = {.max_message = 200'000}) {
  const Outcome whole = read(bytes, bytes.size() + 1, limits);
  for (const std::size_t step : {1u, 2u, 3u, 5u, 7u, 13u}) EXPECT_EQ(read(bytes, step, limits), whole) << step;
  return whole;
}

Outcome fine(std::string log) { return {std::move(log), std::nullopt}; }
Outcome fails(std::string log, CloseCode code) { return {std::move(log), code}; }

TEST(FrameReader, ReadsTheExamplesOfTheRfc) {  // section 5.7
  EXPECT_EQ(read("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s), fine("t(Hello)"));
  EXPECT_EQ(read(frame(0x01, "Hel") + frame(0x80, "lo")), fine("t(Hello)"));
  EXPECT_EQ(read(frame(0x89, "Hello")), fine("ping(Hello)"));
  EXPECT_EQ(read("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s), fine("pong(Hello)"));
}

TEST(FrameReader, ReadsEveryFormOfLength) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u}) {
    const std::string payload(size, 'x');
    Outcome outcome = read(frame(0x82, payload), 1'000'000, {.max_message = 200'000});
    EXPECT_EQ(outcome, fine("b(" + payload + ")"));
    outcome = read(frame(0x82, payload), 4'096, {.max_message = 200'000});
    EXPECT_EQ(outcome, fine("b(" + payload + ")"));
  }
}

TEST(FrameReader, ReadsManyFramesInOneGo) {
  EXPECT_EQ(read(frame(0x81, "4a") + frame(0x82, "\1\2"s) + frame(0x81, "") + frame(0x8a, "") + frame(0x81, "4b")),
            fine("t(4a)b(\1\2)t()pong()t(4b)"));
}

TEST(FrameReader, ControlFramesMayStandInsideAMessage) {
  EXPECT_EQ(
      read(frame(0x01, "a") + frame(0x89, "1") + frame(0x00, "b") + frame(0x8a, "2") + frame(0x00, "") + frame(0x80, "c")),
      fine("ping(1)pong(2)t(abc)"));
}

TEST(FrameReader, FragmentsMayBeEmpty) { EXPECT_EQ(read(frame(0x02, "") + frame(0x00, "") + frame(0x80, "")), fine("b()")); }

TEST(FrameReader, FailsOnBreachesOfTheProtocol) {
  const struct {
    const char* what;
    std::string bytes;
  } cases[] = {
      {"not masked", "\x81\x05Hello"s},
      {"RSV1 without the extension", frame(0xc1, "a")},
      {"RSV2", frame(0xa1, "a")},
      {"RSV3", frame(0x91, "a")},
      {"reserved opcode 3", frame(0x83, "")},
      {"reserved opcode 7", frame(0x87, "")},
      {"reserved opcode 11", frame(0x8b, "")},
      {"reserved opcode 15", frame(0x8f, "")},
      {"fragmented ping", frame(0x09, "a")},
      {"fragmented close", frame(0x08, "")},
      {"ping of 126 bytes", frame(0x89, std::string(126, 'x'))},
      {"continuation of nothing", frame(0x80, "a")},
      {"a new message inside another", frame(0x01, "a") + frame(0x81, "b")},
      {"close of one byte", frame(0x88, "\x03")},
      {"close 999", close_frame(999)},
      {"close 1004", close_frame(1004)},
      {"close 1005", close_frame(1005)},
      {"close 1006", close_frame(1006)},
      {"close 1015", close_frame(1015)},
      {"close 2999", close_frame(2999)},
      {"close 5000", close_frame(5000)},
  };
  for (const auto& each : cases) EXPECT_EQ(read(each.bytes), fails("", CloseCode::protocol_error)) << each.what;
}

TEST(FrameReader, KeepsWhatCameBeforeTheBreach) {
  EXPECT_EQ(read(frame(0x81, "good") + frame(0x83, "") + frame(0x81, "never")), fails("t(good)", CloseCode::protocol_error));
}

TEST(FrameReader, ClosesOnceAndReadsNothingAfter) {
  EXPECT_EQ(read(frame(0x88, "") + frame(0x81, "never")), fine("close(1005 )"));
  EXPECT_EQ(read(close_frame(1000, "bye") + frame(0x83, "")), fine("close(1000 bye)"));
  for (const int code : {1001, 1002, 1003, 1007, 1011, 3000, 4999}) {
    EXPECT_EQ(read(close_frame(code)), fine("close(" + std::to_string(code) + " )"));
  }
}

TEST(FrameReader, TextIsUtf8) {
  EXPECT_EQ(read(frame(0x81, "κόσμε سلام 👋")), fine("t(κόσμε سلام 👋)"));
  EXPECT_EQ(read(frame(0x01, "\xf0\x9f") + frame(0x80, "\x91\x8b")), fine("t(👋)")) << "cut inside a character";
  for (const auto& bad : {"\xff"s, "\xc0\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "ok\xce"s}) {
    EXPECT_EQ(read(frame(0x81, bad)), fails("", CloseCode::invalid_payload));
  }
  EXPECT_EQ(read(frame(0x01, "\xce") + frame(0x80, "a")), fails("", CloseCode::invalid_payload));
  EXPECT_EQ(read(close_frame(1000, "\xff")), fails("", CloseCode::invalid_payload));
  EXPECT_EQ(read(frame(0x82, "\xff")), fine("b(\xff)"));
}

TEST(FrameReader, NoticesBadUtf8BeforeTheMessageEnds) {  // section 8.1, and Autobahn 6.4
  Log log;
  FrameReader reader({});
  std::string bytes = frame(0x01, "\xce\xba\xff");
  EXPECT_EQ(reader.feed(bytes, log), CloseCode::invalid_payload);
}

TEST(FrameReader, LimitsAMessageByItsHeadersAlone) {
  const FrameReader::Limits limits{.max_message = 1000};
  EXPECT_EQ(read(frame(0x82, std::string(1000, 'x')), limits).failure, std::nullopt);
  EXPECT_EQ(read(frame(0x82, std::string(1001, 'x')).substr(0, 8), limits).failure, CloseCode::message_too_big);
  EXPECT_EQ(read(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(401, 'x')).substr(0, 8), limits).failure,
            CloseCode::message_too_big);
  EXPECT_EQ(read("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x37\xfa\x21\x3d"s, limits).failure, CloseCode::message_too_big);
  const std::string half = frame(0x02, std::string(500, 'x')) + frame(0x80, std::string(500, 'x'));
  EXPECT_EQ(read(half + half, limits).failure, std::nullopt) << "the limit is a message's";
}

TEST(FrameReader, HandsOutCompressedMessagesUnread) {
  const FrameReader::Limits limits{.max_message = 1000, .allow_compressed = true};
  EXPECT_EQ(read(frame(0xc1, "\xf2\x48"), limits), fine("zt(\xf2\x48)"));
  EXPECT_EQ(read(frame(0x41, "\xff") + frame(0x80, "\xfe"), limits), fine("zt(\xff\xfe)"));
  EXPECT_EQ(read(frame(0x41, "a") + frame(0xc0, "b"), limits), fails("", CloseCode::protocol_error))
      << "RSV1 on a continuation";
  EXPECT_EQ(read(frame(0xc9, ""), limits), fails("", CloseCode::protocol_error)) << "RSV1 on a control frame";
  EXPECT_EQ(read(frame(0x81, "plain"), limits), fine("t(plain)"));
}

TEST(FrameReader, StopsWhenTold) {
  Log log;
  log.stop_after = 2;
  FrameReader reader({});
  std::string bytes = frame(0x81, "1") + frame(0x89, "2") + frame(0x81, "3");
  EXPECT_EQ(reader.feed(bytes, log), std::nullopt);
  EXPECT_EQ(log.text, "t(1)ping(2)");
}

TEST(Frame, CloseReasonsAreCutAtACharacter) {
  EXPECT_EQ(close_payload(CloseCode::no_status), "");
  EXPECT_EQ(close_payload(CloseCode::normal, "bye"),
            "\x03\xe8"
            "bye"s);
  const std::string payload = close_payload(CloseCode::going_away, std::string(122, 'x') + "é");
  EXPECT_EQ(payload, "\x03\xe9"s + std::string(122, 'x'));
}

TEST(FrameReader, TellsWhatItKeepsAndHowMuchOfAFrameIsMissing) {
  Log log;
  FrameReader reader({});
  std::string bytes = frame(0x82, std::string(50'000, 'x'));
  EXPECT_EQ(reader.kept_bytes(), 0u);
  EXPECT_EQ(reader.charge(), nullptr);
  reader.feed(std::span(bytes).first(40'008), log);  // with its header of 8 bytes
  EXPECT_GE(reader.kept_bytes(), 40'000u);
  EXPECT_EQ(reader.frame_bytes_left(), 10'000u);
  EXPECT_NE(reader.charge(), nullptr);
  reader.feed(std::span(bytes).subspan(40'008), log);
  EXPECT_EQ(reader.kept_bytes(), 0u);
  EXPECT_EQ(reader.frame_bytes_left(), 0u);
  EXPECT_EQ(reader.charge(), nullptr);
  EXPECT_EQ(log.text.size(), 50'003u);
}

TEST(FrameReader, TheLimitOfAMessageMayChange) {
  Log log;
  FrameReader reader({.max_message = 3});
  std::string bytes = frame(0x82, "abc");
  EXPECT_EQ(reader.feed(bytes, log), std::nullopt);
  reader.set_max_message(5);
  bytes = frame(0x82, "abcde");
  EXPECT_EQ(reader.feed(bytes, log), std::nullopt);
  EXPECT_EQ(log.text, "b(abc)b(abcde)");
  // Lower than what is kept of the present one.
  bytes = frame(0x02, "abcde");
  EXPECT_EQ(reader.feed(bytes, log), std::nullopt);
  reader.set_max_message(3);
  bytes = frame(0x80, "");
  EXPECT_EQ(reader.feed(bytes, log), CloseCode::message_too_big);
}

TEST(FrameReader, MessagesThatAreIgnoredAreNotKeptAndControlFramesAreRead) {
  Log log;
  FrameReader reader({});
  std::string bytes = frame(0x02, "begun");
  reader.feed(bytes, log);
  reader.ignore_messages();
  bytes =
      frame(0x00, std::string(50'000, 'x')) + frame(0x89, "p") + frame(0x80, "end") + frame(0x81, "next") + close_frame(1000);
  for (std::size_t at = 0; at < bytes.size(); at += 1'000) {
    EXPECT_EQ(reader.feed(std::span(bytes).subspan(at, std::min<std::size_t>(1'000, bytes.size() - at)), log), std::nullopt);
    EXPECT_LT(reader.kept_bytes(), 100u);
  }
  EXPECT_EQ(log.text, "ping(p)close(1000 )");
}

}  // namespace
}  // namespace payam::eio::websocket
