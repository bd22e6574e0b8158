#include "engineio/encoded_packet.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "engineio/websocket/deflate.hpp"

namespace payam::eio {
namespace {

using namespace std::string_literals;

std::string polling(const PacketRef& packet) {
  std::string out;
  packet->append_polling(out);
  return out;
}

TEST(EncodedPacket, IsOneUnmaskedWebsocketFrame) {
  const auto packet = EncodedPacket::text(PacketType::message, "hello");
  EXPECT_EQ(packet->frame(), "\x81\x06"s + "4hello");
  EXPECT_EQ(packet->payload(), "4hello");
  EXPECT_EQ(packet->size(), 6u);
  EXPECT_FALSE(packet->is_binary());
  EXPECT_EQ(polling(packet), "4hello");
}

TEST(EncodedPacket, WithoutDataIsItsDigit) {
  const auto packet = EncodedPacket::text(PacketType::ping, "");
  EXPECT_EQ(packet->frame(), "\x81\x01"s + "2");
  EXPECT_EQ(polling(packet), "2");
}

TEST(EncodedPacket, BinaryHasNoDigitOnWebsocketAndBase64OnPolling) {
  const auto packet = EncodedPacket::binary("\x01\x02\x03\x04"s);
  EXPECT_EQ(packet->frame(), "\x82\x04\x01\x02\x03\x04"s);
  EXPECT_EQ(packet->payload(), "\x01\x02\x03\x04"s);
  EXPECT_TRUE(packet->is_binary());
  EXPECT_EQ(polling(packet), "bAQIDBA==");
}

TEST(EncodedPacket, BinaryTakesTheFormItsClientTakes) {
  const std::string bytes = "\x01\x02\x03\x04";
  const struct {
    Protocol protocol;
    BinaryForm form;
    std::string frame;
  } cases[] = {
      {Protocol::v4, BinaryForm::frame, "\x82\x04\x01\x02\x03\x04"s},
      {Protocol::v4, BinaryForm::base64, "\x81\x09"s + "bAQIDBA=="},
      {Protocol::v3, BinaryForm::frame, "\x82\x05\x04\x01\x02\x03\x04"s},
      {Protocol::v3, BinaryForm::base64, "\x81\x0a"s + "b4AQIDBA=="},
  };
  for (const auto& each : cases) EXPECT_EQ(EncodedPacket::binary_for(each.protocol, each.form, bytes)->frame(), each.frame);
}

TEST(EncodedPacket, JoinsTheParts) {
  const std::array<std::string_view, 3> parts{"2", "", "[\"a\"]"};
  const auto packet = EncodedPacket::message(parts);
  EXPECT_EQ(packet->frame(), "\x81\x07"s + "42[\"a\"]");
}

TEST(EncodedPacket, ControlFramesCarryTheirOpcode) {
  EXPECT_EQ(EncodedPacket::control(websocket::Opcode::pong, "x")->frame(), "\x8a\x01"s + "x");
  EXPECT_EQ(EncodedPacket::control(websocket::Opcode::close, {})->frame(), "\x88\x00"s);
}

TEST(EncodedPacket, IsCompressedOnceForAll) {
  websocket::Deflater deflater;
  websocket::Inflater inflater;
  const std::string text(1000, 'x');
  const auto packet = EncodedPacket::text(PacketType::message, text);
  const auto deflated = packet->deflated(deflater);
  EXPECT_EQ(deflated->frame()[0], '\xc1');
  EXPECT_LT(deflated->size(), 100u);
  EXPECT_EQ(inflater.inflate(deflated->payload(), 2000), "4" + text);
  EXPECT_EQ(packet->deflated(deflater), deflated);

  const auto binary = EncodedPacket::binary(text);
  EXPECT_EQ(binary->deflated(deflater)->frame()[0], '\xc2');
  const auto short_one = EncodedPacket::text(PacketType::message, "hi");
  EXPECT_EQ(short_one->deflated(deflater), short_one) << "it would only grow";
}

TEST(EncodedPacket, LengthsTakeTheShortestForm) {
  const struct {
    std::size_t payload;
    std::string header;
  } cases[] = {
      {125, "\x82\x7d"s},
      {126, "\x82\x7e\x00\x7e"s},
      {65'535, "\x82\x7e\xff\xff"s},
      {65'536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s},
  };
  for (const auto& each : cases) {
    const auto packet = EncodedPacket::binary(std::string(each.payload, 'x'));
    EXPECT_EQ(packet->frame().substr(0, each.header.size()), each.header);
    EXPECT_EQ(packet->frame().size(), each.header.size() + each.payload);
    EXPECT_EQ(packet->payload(), std::string(each.payload, 'x'));
  }
}

TEST(EncodedPacket, IsSharedBetweenThreads) {
  const auto packet = EncodedPacket::text(PacketType::message, "shared");
  const auto large = EncodedPacket::binary(std::string(100'000, 'x'));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([packet, large] {
      websocket::Deflater deflater;
      ASSERT_LT(large->deflated(deflater)->size(), 1'000u);
      for (int n = 0; n < 10'000; ++n) {
        const PacketRef copy = packet;
        ASSERT_EQ(copy->size(), 7u);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(packet->payload(), "4shared");
}

}  // namespace
}  // namespace payam::eio
