#include "engineio/payload_v3.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace payam::eio {
namespace {

using namespace std::string_literals;
using Step = PayloadReader::Step;

// "4:hello" for text, "4b:…" for binary; "bad" at the end if it was.
std::vector<std::string> decode(std::string_view payload, PayloadForm form = PayloadForm::text) {
  std::vector<std::string> packets;
  PayloadReaderV3 reader(payload, form);
  Packet packet;
  for (;;) {
    switch (reader.next(packet)) {
      case Step::packet:
        packets.push_back(std::string{static_cast<char>(packet.type)} + (packet.binary ? "b:" : ":") +
                          std::string(packet.data));
        break;
      case Step::bad: packets.emplace_back("bad"); return packets;
      case Step::end: return packets;
    }
  }
}

using List = std::vector<std::string>;

PacketRef message(std::string_view text) { return EncodedPacket::text(PacketType::message, text); }

TEST(PayloadV3, ReadsTheExamplesOfTheProtocol) {
  EXPECT_EQ(decode("6:4hello2:4€"), (List{"4:hello", "4:€"}));
  EXPECT_EQ(decode("2:4€10:b4AQIDBA=="), (List{"4:€", "4b:\1\2\3\4"}));
  EXPECT_EQ(decode("\x00\x04\xff\x34\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04"s, PayloadForm::octets),
            (List{"4:€", "4b:\1\2\3\4"}));
}

TEST(PayloadV3, CountsInCodeUnits) {
  EXPECT_EQ(decode("3:4👋2:4a"), (List{"4:👋", "4:a"}));
  EXPECT_EQ(decode("2:4👋"), List{"bad"}) << "a cut through a surrogate pair";
  EXPECT_EQ(decode("5:4سلام1:2"), (List{"4:سلام", "2:"}));
}

TEST(PayloadV3, EmptyPacketsAreSkipped) {
  EXPECT_EQ(decode("0:"), List{});
  EXPECT_EQ(decode("0:2:4a"), List{"4:a"});
  EXPECT_EQ(decode("", PayloadForm::octets), List{});
}

TEST(PayloadV3, EverythingBeforeABadPacketIsRead) {
  for (const auto& bad :
       {""s, "x"s, ":4"s, "1"s, "2:4"s, "-1:4"s, "1:7"s, "1:b"s, "3:b4*"s, "1:\xff"s, "99999999999999999999:4"s}) {
    EXPECT_EQ(decode(bad), List{"bad"}) << bad;
    if (!bad.empty() && bad != "1:\xff") {
      EXPECT_EQ(decode("2:4a" + bad), (List{"4:a", "bad"})) << bad;
    }
  }
  for (const auto& bad : {"\x02\x01\xff\x34"s, "\x00\xff\x34"s, "\x00\x01"s, "\x00\x0a\xff"s, "\x00\x02\xff\x34"s,
                          "\x01\x00\xff"s, "\x01\x01\xff\x07"s, "\x01\x01\xff\xff"s, "\x00\x02\xff\x34\xff"s}) {
    EXPECT_EQ(decode(bad, PayloadForm::octets), List{"bad"});
    EXPECT_EQ(decode("\x00\x02\xff\x34\x61"s + bad, PayloadForm::octets), (List{"4:a", "bad"}));
  }
}

TEST(PayloadV3, WritesWhatTheProtocolShows) {
  const std::vector<PacketRef> text{message("hello"), message("€"), message("👋")};
  EXPECT_EQ(encode_payload_v3(text, BinaryForm::frame).body, "6:4hello2:4€3:4👋");
  EXPECT_EQ(encode_payload_v3(text, BinaryForm::frame).form, PayloadForm::text);

  const std::vector<PacketRef> mixed{message("€"), EncodedPacket::binary("\1\2\3\4")};
  const auto octets = encode_payload_v3(mixed, BinaryForm::frame);
  EXPECT_EQ(octets.form, PayloadForm::octets);
  EXPECT_EQ(octets.body, "\x00\x04\xff\x34\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04"s);
  const auto base64 = encode_payload_v3(mixed, BinaryForm::base64);
  EXPECT_EQ(base64.form, PayloadForm::text);
  EXPECT_EQ(base64.body, "2:4€10:b4AQIDBA==");
}

TEST(PayloadV3, WritesLongLengthsDigitByDigit) {
  const std::vector<PacketRef> packets{EncodedPacket::binary(std::string(122, 'x'))};
  EXPECT_EQ(encode_payload_v3(packets, BinaryForm::frame).body, "\x01\x01\x02\x03\xff\x04"s + std::string(122, 'x'));
}

TEST(PacketV3, BinaryFramesBeginWithTheirType) {
  std::string bytes;
  EXPECT_EQ(decode_packet_v3("\4\1\2", true, bytes), (Packet{PacketType::message, true, "\1\2"}));
  EXPECT_EQ(decode_packet_v3("b4AQI=", false, bytes), (Packet{PacketType::message, true, "\1\2"}));
  EXPECT_EQ(decode_packet_v3("2probe", false, bytes), (Packet{PacketType::ping, false, "probe"}));
  for (const auto& bad : {""s, "\7"s, "\xff"s, "4"s}) EXPECT_FALSE(decode_packet_v3(bad, true, bytes));
}

}  // namespace
}  // namespace payam::eio
