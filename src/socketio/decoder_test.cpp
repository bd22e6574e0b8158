#include "socketio/decoder.hpp"

#include <gmock/gmock.h>

#include "socketio/msgpack.hpp"

namespace payam::sio {
namespace {

using Outcome = Decoder::Outcome;
using ::testing::ElementsAre;

TEST(Decoder, WaitsForEveryAttachment) {
  Decoder decoder(Parser::json, {});
  Packet packet;
  ASSERT_EQ(decoder.text(R"(52-["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", packet),
            Outcome::incomplete);
  ASSERT_EQ(decoder.binary("one", packet), Outcome::incomplete);
  ASSERT_EQ(decoder.binary("two", packet), Outcome::packet);
  EXPECT_EQ(packet.event, "x");
  EXPECT_THAT(packet.arguments.attachments, ElementsAre(Binary{"one"}, Binary{"two"}));
  EXPECT_EQ(read_argument<Binary>(packet.arguments, 0), Binary{"two"});
  EXPECT_EQ(read_argument<Binary>(packet.arguments, 1), Binary{"one"});
  // Ready for the next.
  packet = {};
  EXPECT_EQ(decoder.text(R"(2["y"])", packet), Outcome::packet);
  EXPECT_EQ(packet.event, "y");
  EXPECT_TRUE(packet.arguments.attachments.empty());
}

TEST(Decoder, RefusesTextInTheMiddleOfAttachments) {
  Decoder decoder(Parser::json, {});
  Packet packet;
  ASSERT_EQ(decoder.text(R"(51-["x",{"_placeholder":true,"num":0}])", packet), Outcome::incomplete);
  EXPECT_EQ(decoder.text(R"(2["y"])", packet), Outcome::invalid);
}

TEST(Decoder, RefusesAStrayAttachment) {
  Decoder decoder(Parser::json, {});
  Packet packet;
  EXPECT_EQ(decoder.binary("one", packet), Outcome::invalid);
  ASSERT_EQ(decoder.text(R"(51-["x",{"_placeholder":true,"num":0}])", packet), Outcome::incomplete);
  ASSERT_EQ(decoder.binary("one", packet), Outcome::packet);
  EXPECT_EQ(decoder.binary("two", packet), Outcome::invalid);
}

TEST(Decoder, TheNumberOfAttachmentsIsAnOption) {
  Packet packet;
  EXPECT_EQ(Decoder(Parser::json, {.attachments = 2}).text(R"(53-["x"])", packet), Outcome::invalid);
  EXPECT_EQ(Decoder(Parser::json, {.attachments = 12}).text(R"(512-["x"])", packet), Outcome::incomplete);
}

// Read, this header takes seventeen million bytes.
TEST(Decoder, KeepsOnlyTheTextOfAPacketThatWaits) {
  std::string header = R"(51-["x")";
  while (header.size() < 990'000) header += ",[0]";
  header += "]";
  Decoder decoder(Parser::json, {});
  EXPECT_EQ(decoder.held_bytes(), 0u);
  Packet packet;
  ASSERT_EQ(decoder.text(header, packet), Outcome::incomplete);
  EXPECT_GE(decoder.held_bytes(), header.size());
  EXPECT_LT(decoder.held_bytes(), header.size() + 1'000);
  EXPECT_TRUE(packet.arguments.values.empty());
  ASSERT_EQ(decoder.binary("one", packet), Outcome::packet);
  EXPECT_EQ(decoder.held_bytes(), 0u);
  EXPECT_GT(packet.arguments.values.size(), 200'000u);
}

TEST(Decoder, CountsTheAttachmentsItHolds) {
  Decoder decoder(Parser::json, {});
  Packet packet;
  ASSERT_EQ(decoder.text(R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])", packet),
            Outcome::incomplete);
  const std::size_t text = decoder.held_bytes();
  ASSERT_EQ(decoder.binary(std::string(100'000, 'a'), packet), Outcome::incomplete);
  EXPECT_GE(decoder.held_bytes(), text + 100'000);
}

TEST(Decoder, TakesTheAttachmentsOfAnUnreadablePacketBeforeTheNext) {
  Decoder decoder(Parser::json, {});
  Packet packet;
  ASSERT_EQ(decoder.text(R"(51-4["x","\ud800",{"_placeholder":true,"num":0}])", packet), Outcome::incomplete);
  ASSERT_EQ(decoder.binary("one", packet), Outcome::packet);
  EXPECT_EQ(packet.fault, "a lone surrogate in a string");
  EXPECT_EQ(packet.id, 4u);
  EXPECT_TRUE(packet.arguments.attachments.empty());
  packet = {};
  EXPECT_EQ(decoder.text(R"(2["y"])", packet), Outcome::packet);
}

std::string packed(const json::value& value, std::vector<Binary> attachments = {}) {
  std::string out;
  write_msgpack(out, value, attachments);
  return out;
}

TEST(Decoder, ReadsMsgpackPackets) {
  Decoder decoder(Parser::msgpack, {});
  Packet packet;
  ASSERT_EQ(decoder.binary(packed({{"type", 0}, {"nsp", "/"}, {"data", nullptr}}), packet), Outcome::packet);
  EXPECT_EQ(packet.type, PacketType::connect);
  EXPECT_TRUE(packet.payload.is_null());

  ASSERT_EQ(decoder.binary(packed({{"type", 0}, {"nsp", "/x"}, {"data", {{"token", "t"}}}}), packet), Outcome::packet);
  EXPECT_EQ(packet.nsp, "/x");
  EXPECT_EQ(packet.payload.at("token").as_string(), "t");

  const json::value event{{"type", 2},
                          {"nsp", "/"},
                          {"id", 5},
                          {"options", {{"compress", true}}},
                          {"data", json::array{"hello", detail::make_placeholder(0), 1}}};
  ASSERT_EQ(decoder.binary(packed(event, {Binary{"\x01\x02"}}), packet), Outcome::packet);
  EXPECT_EQ(packet.event, "hello");
  EXPECT_EQ(packet.id, 5u);
  EXPECT_EQ(read_argument<Binary>(packet.arguments, 0), Binary{"\x01\x02"});
  EXPECT_EQ(read_argument<int>(packet.arguments, 1), 1);

  ASSERT_EQ(decoder.binary(packed({{"type", 1}, {"nsp", "/"}}), packet), Outcome::packet);
  EXPECT_EQ(packet.type, PacketType::disconnect);
  ASSERT_EQ(decoder.binary(packed({{"type", 3}, {"nsp", "/"}, {"id", 1}, {"data", json::array{}}}), packet), Outcome::packet);
  EXPECT_EQ(packet.type, PacketType::ack);
}

TEST(Decoder, RefusesMsgpackPacketsThatBreakTheGrammar) {
  const json::value cases[] = {
      nullptr,
      json::array{1},
      {{"nsp", "/"}, {"data", json::array{"x"}}},
      {{"type", 5}, {"nsp", "/"}, {"data", json::array{"x"}}},
      {{"type", -1}, {"nsp", "/"}, {"data", json::array{"x"}}},
      {{"type", "2"}, {"nsp", "/"}, {"data", json::array{"x"}}},
      {{"type", 2}, {"data", json::array{"x"}}},
      {{"type", 2}, {"nsp", 1}, {"data", json::array{"x"}}},
      {{"type", 2}, {"nsp", ""}, {"data", json::array{"x"}}},
      {{"type", 2}, {"nsp", "admin"}, {"data", json::array{"x"}}},
      {{"type", 2}, {"nsp", "/"}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::array{}}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::object{}}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::array{"disconnect"}}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::array{"x"}}, {"id", "1"}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::array{"x"}}, {"id", -1}},
      {{"type", 2}, {"nsp", "/"}, {"data", json::array{"x"}}, {"id", 1.5}},
      {{"type", 0}, {"nsp", "/"}, {"data", json::array{"x"}}},
      {{"type", 1}, {"nsp", "/"}, {"data", json::object{}}},
      {{"type", 3}, {"nsp", "/"}, {"id", 1}},
  };
  for (const auto& each : cases) {
    Packet packet;
    EXPECT_EQ(Decoder(Parser::msgpack, {}).binary(packed(each), packet), Outcome::invalid);
  }
  Packet packet;
  EXPECT_EQ(Decoder(Parser::msgpack, {}).text("2[\"x\"]", packet), Outcome::invalid);
  EXPECT_EQ(Decoder(Parser::msgpack, {}).binary("", packet), Outcome::invalid);
}

}  // namespace
}  // namespace payam::sio
