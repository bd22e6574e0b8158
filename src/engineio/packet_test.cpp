#include "engineio/packet.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace payam::eio {
namespace {

using namespace std::string_literals;

struct Read {
  PacketType type;
  bool binary;
  std::string data;
  bool operator==(const Read&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Read& read) {
    return out << static_cast<char>(read.type) << (read.binary ? 'b' : 't') << ':' << read.data;
  }
};

struct Decoded {
  std::vector<Read> packets;
  bool bad = false;
};

Decoded decode(std::string_view payload) {
  Decoded decoded;
  PayloadReader reader(payload);
  Packet packet;
  for (;;) {
    switch (reader.next(packet)) {
      case PayloadReader::Step::packet:
        decoded.packets.push_back({packet.type, packet.binary, std::string(packet.data)});
        break;
      case PayloadReader::Step::bad: decoded.bad = true; return decoded;
      case PayloadReader::Step::end: return decoded;
    }
  }
}

Read text(PacketType type, std::string data) { return {type, false, std::move(data)}; }
Read binary(std::string data) { return {PacketType::message, true, std::move(data)}; }

TEST(Packet, ReadsEveryType) {
  for (const char type : "0123456"s) {
    EXPECT_EQ(decode_packet(std::string{type} + "data"), (Packet{static_cast<PacketType>(type), false, "data"}));
    EXPECT_EQ(decode_packet(std::string{type}), (Packet{static_cast<PacketType>(type), false, ""}));
  }
}

TEST(Packet, RefusesWhatHasNoType) {
  for (const auto& bad : {""s, "7"s, "a"s, "abc"s, "b"s, "-1"s, " 4a"s, "\0"s, "\x1e"s, "\xff"s}) {
    EXPECT_FALSE(decode_packet(bad)) << bad;
  }
}

TEST(Packet, BinaryMayComeAsBase64) {
  std::string bytes;
  EXPECT_EQ(decode_packet("bAQIDBA==", bytes), (Packet{PacketType::message, true, "\x01\x02\x03\x04"}));
  EXPECT_EQ(decode_packet("4bAQ==", bytes), (Packet{PacketType::message, false, "bAQ=="}));
  EXPECT_FALSE(decode_packet("bA", bytes));
  EXPECT_FALSE(decode_packet("", bytes));
}

TEST(Payload, ReadsTheSpecificationsExamples) {
  EXPECT_EQ(decode("4hello\x1e"
                   "2\x1e"
                   "4world")
                .packets,
            (std::vector{text(PacketType::message, "hello"), text(PacketType::ping, ""), text(PacketType::message, "world")}));
  EXPECT_EQ(decode("4hello\x1e"
                   "bAQIDBA==")
                .packets,
            (std::vector{text(PacketType::message, "hello"), binary("\x01\x02\x03\x04"s)}));
}

TEST(Payload, ReadsBinaryOfEveryLength) {
  EXPECT_EQ(decode("b").packets, (std::vector{binary("")}));
  EXPECT_EQ(decode("bAA==").packets, (std::vector{binary("\0"s)}));
  EXPECT_EQ(decode("bAA").packets, (std::vector{binary("\0"s)})) << "padding may be missing";
  EXPECT_EQ(decode("bAQID\x1e"
                   "bBAUG")
                .packets,
            (std::vector{binary("\1\2\3"s), binary("\4\5\6"s)}));
}

TEST(Payload, WritesPacketsPartedBySeparators) {
  const std::vector<PacketRef> packets{EncodedPacket::text(PacketType::message, "a"), EncodedPacket::binary("\1\2\3\4"),
                                       EncodedPacket::text(PacketType::close, {})};
  EXPECT_EQ(encode_payload(packets).body,
            "4a\x1e"
            "bAQIDBA==\x1e"
            "1");
  EXPECT_EQ(encode_payload(packets).form, PayloadForm::text);
}

TEST(Payload, PersianAndEmojiAreJustText) {
  EXPECT_EQ(decode("4سلام 👋").packets, (std::vector{text(PacketType::message, "سلام 👋")}));
}

TEST(Payload, EverythingBeforeABadPacketIsRead) {
  const struct {
    std::string payload;
    std::size_t read;
  } cases[] = {
      {"", 0},
      {"abc", 0},
      {"4ok\x1e"
       "9",
       1},
      {"4ok\x1e", 1},
      {"\x1e"
       "4ok",
       0},
      {"4a\x1e\x1e"
       "4b",
       1},
      {"bA", 0},
      {"bAQ*D", 0},
      {"bAQID=", 0},
      {"4ok\x1e"
       "4\xff",
       1},
      {"4\xed\xa0\x80", 0},
      {"4\xc0\x80", 0},
      {"4caf\xc3", 0},
  };
  for (const auto& each : cases) {
    const auto decoded = decode(each.payload);
    EXPECT_TRUE(decoded.bad) << each.payload;
    EXPECT_EQ(decoded.packets.size(), each.read) << each.payload;
  }
}

}  // namespace
}  // namespace payam::eio
