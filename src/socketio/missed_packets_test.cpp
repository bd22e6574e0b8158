#include "socketio/missed_packets.hpp"

#include <gmock/gmock.h>

namespace payam::sio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr SteadyTime kStart{};

std::shared_ptr<const PacketParts> packet(std::size_t bytes = 10) {
  return std::make_shared<PacketParts>(PacketParts{eio::EncodedPacket::binary(std::string(bytes, 'x'))});
}

std::optional<std::vector<std::uint64_t>> offsets(const MissedPackets& missed, std::optional<std::uint64_t> after) {
  const auto entries = missed.after(after);
  if (!entries) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const auto& entry : *entries) out.push_back(entry.offset);
  return out;
}

TEST(MissedPackets, GivesWhatCameAfterTheOffset) {
  const MissedPackets::Limits limits;
  MissedPackets missed(limits);
  for (const std::uint64_t offset : {5u, 9u, 7u}) missed.push(offset, packet(), kStart);
  EXPECT_THAT(offsets(missed, 5), Optional(ElementsAre(9u, 7u)));
  EXPECT_THAT(offsets(missed, 9), Optional(ElementsAre(7u)));
  EXPECT_THAT(offsets(missed, 7), Optional(IsEmpty()));
}

TEST(MissedPackets, AClientThatGotNothingYetGetsEverything) {
  const MissedPackets::Limits limits;
  MissedPackets missed(limits);
  EXPECT_THAT(offsets(missed, std::nullopt), Optional(IsEmpty()));
  missed.push(5, packet(), kStart);
  EXPECT_THAT(offsets(missed, std::nullopt), Optional(ElementsAre(5u)));
}

TEST(MissedPackets, AnOffsetThatWasNeverSentToItIsRefused) {
  const MissedPackets::Limits limits;
  MissedPackets missed(limits);
  missed.push(5, packet(), kStart);
  EXPECT_EQ(offsets(missed, 4), std::nullopt);
  EXPECT_EQ(offsets(missed, 6), std::nullopt);
}

TEST(MissedPackets, CountBytesAndAgeAreBounded) {
  const MissedPackets::Limits three{.packets = 3};
  MissedPackets counted(three);
  for (std::uint64_t offset = 1; offset <= 5; ++offset) counted.push(offset, packet(), kStart);
  EXPECT_EQ(counted.size(), 3u);
  EXPECT_EQ(offsets(counted, 1), std::nullopt);
  EXPECT_EQ(offsets(counted, std::nullopt), std::nullopt);
  EXPECT_THAT(offsets(counted, 2), Optional(ElementsAre(3u, 4u, 5u)));  // the last dropped: nothing is missing after it
  EXPECT_THAT(offsets(counted, 4), Optional(ElementsAre(5u)));

  const MissedPackets::Limits bytes{.bytes = 100};
  MissedPackets weighed(bytes);
  weighed.push(1, packet(60), kStart);
  weighed.push(2, packet(60), kStart);
  EXPECT_EQ(weighed.size(), 1u);
  EXPECT_EQ(weighed.bytes(), 60u);
  weighed.push(3, packet(1000), kStart);  // more than all there is room for
  EXPECT_EQ(weighed.size(), 0u);
  EXPECT_EQ(weighed.bytes(), 0u);
  EXPECT_THAT(offsets(weighed, 3), Optional(IsEmpty()));
  EXPECT_EQ(offsets(weighed, 2), std::nullopt);

  const MissedPackets::Limits minute{.age = Millis{60'000}};
  MissedPackets aged(minute);
  aged.push(1, packet(), kStart);
  aged.push(2, packet(), kStart + Millis{60'000});
  EXPECT_EQ(aged.size(), 2u);
  aged.push(3, packet(), kStart + Millis{60'001});
  EXPECT_EQ(aged.size(), 2u);
  EXPECT_THAT(offsets(aged, 1), Optional(ElementsAre(2u, 3u)));
}

TEST(MissedPackets, MergesWhatWasCollectedInTwoPlacesWithoutDoubles) {
  const MissedPackets::Limits limits;
  MissedPackets first(limits), second(limits);
  for (const std::uint64_t offset : {1u, 2u, 3u}) first.push(offset, packet(), kStart);
  for (const std::uint64_t offset : {2u, 3u, 5u, 4u}) second.push(offset, packet(), kStart);
  first.merge(second);
  EXPECT_THAT(offsets(first, 1), Optional(ElementsAre(2u, 3u, 5u, 4u)));
}

TEST(MissedPackets, OffsetsAreTextAndBack) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{35}, std::uint64_t{36}, ~std::uint64_t{0}}) {
    EXPECT_EQ(parse_offset(offset_text(offset)), offset);
  }
  EXPECT_EQ(offset_text(36), "10");
  for (const char* text : {"", "-1", " 1", "1 ", "1.0", "zzzzzzzzzzzzzzzz", "ä"})
    EXPECT_EQ(parse_offset(text), std::nullopt) << text;
}

}  // namespace
}  // namespace payam::sio
