#include "socketio/msgpack.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

namespace payam::sio {
namespace {

namespace json = boost::json;
using namespace std::string_literals;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += kHex[static_cast<unsigned char>(byte) >> 4];
    out += kHex[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

std::string packed(const json::value& value) {
  std::string out;
  write_msgpack(out, value, {});
  return hex(out);
}

// The bytes are those of the MessagePack specification's format table.
TEST(Msgpack, WritesTheShortestForm) {
  EXPECT_EQ(packed(nullptr), "c0");
  EXPECT_EQ(packed(false), "c2");
  EXPECT_EQ(packed(true), "c3");
  EXPECT_EQ(packed(0), "00");
  EXPECT_EQ(packed(127), "7f");
  EXPECT_EQ(packed(128), "cc80");
  EXPECT_EQ(packed(255), "ccff");
  EXPECT_EQ(packed(256), "cd0100");
  EXPECT_EQ(packed(65536), "ce00010000");
  EXPECT_EQ(packed(4294967296), "cf0000000100000000");
  EXPECT_EQ(packed(std::numeric_limits<std::uint64_t>::max()), "cfffffffffffffffff");
  EXPECT_EQ(packed(-1), "ff");
  EXPECT_EQ(packed(-32), "e0");
  EXPECT_EQ(packed(-33), "d0df");
  EXPECT_EQ(packed(-128), "d080");
  EXPECT_EQ(packed(-129), "d1ff7f");
  EXPECT_EQ(packed(-32769), "d2ffff7fff");
  EXPECT_EQ(packed(-2147483649), "d3ffffffff7fffffff");
  EXPECT_EQ(packed(1.5), "cb3ff8000000000000");
  EXPECT_EQ(packed("a"), "a161");
  EXPECT_EQ(packed(json::string(32, 'a')).substr(0, 6), "d92061");
  EXPECT_EQ(packed(json::string(256, 'a')).substr(0, 8), "da010061");
  EXPECT_EQ(packed(json::string(65536, 'a')).substr(0, 12), "db0001000061");
  EXPECT_EQ(packed(json::parse(R"({"a":[1,2]})")), "81a161920102");
  EXPECT_EQ(packed(json::array(16)).substr(0, 8), "dc0010c0");
}

TEST(Msgpack, WritesAttachmentsWherePlaceholdersStand) {
  const std::vector<Binary> attachments = {Binary{"\x01\x02"}, Binary{std::string(300, 'x')}};
  std::string out;
  write_msgpack(out, json::array{detail::make_placeholder(0), detail::make_placeholder(1)}, attachments);
  EXPECT_EQ(hex(out).substr(0, 18), "92c4020102c5012c78");
  out.clear();
  write_msgpack(out, detail::make_placeholder(5), attachments);  // nobody's: an object like any other
  EXPECT_EQ(hex(out).substr(0, 2), "82");
}

TEST(Msgpack, ReadsWhatItWrites) {
  for (const char* text : {"null", "true", "0", "-1", "127", "128", "-129", "70000", "5000000000", "-5000000000", "1.5", "\"\"",
                           "\"سلام 👋\"", "[]", "{}", R"({"a":[1,{"b":[null,[[]]]}],"c":"d"})"}) {
    std::string out;
    write_msgpack(out, json::parse(text), {});
    std::vector<Binary> attachments;
    const auto value = read_msgpack(out, {}, attachments);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(*value, json::parse(text)) << text;
  }
}

TEST(Msgpack, ReadsWhatNotepackSends) {
  std::vector<Binary> attachments;
  EXPECT_EQ(read_msgpack("\xd4\x00\x00"s, {}, attachments), json::value(nullptr));  // undefined
  // new Date(0) and new Date(1795413120123)
  EXPECT_EQ(read_msgpack("\xd7\x00\x00\x00\x00\x00\x00\x00\x00\x00"s, {}, attachments),
            json::value("1970-01-01T00:00:00.000Z"));
  EXPECT_EQ(read_msgpack("\xd7\x00\x7f\xff\xff\xff\xff\xff\xff\xff"s, {}, attachments), json::value(nullptr));
  EXPECT_TRUE(attachments.empty());
  // An ArrayBuffer of one byte, a Buffer of two.
  EXPECT_EQ(read_msgpack("\xc7\x01\x00\x07"s, {}, attachments), detail::make_placeholder(0));
  EXPECT_EQ(read_msgpack("\xc4\x02\x08\x09"s, {}, attachments), detail::make_placeholder(1));
  EXPECT_EQ(attachments, (std::vector<Binary>{Binary{"\x07"}, Binary{"\x08\x09"}}));
  EXPECT_EQ(read_msgpack("\xca\x3f\xc0\x00\x00"s, {}, attachments), json::value(1.5));  // a float of 32 bits
  EXPECT_EQ(read_msgpack("\xd5\x05\x01\x02"s, {}, attachments), json::value(nullptr));  // somebody's extension
}

TEST(Msgpack, RefusesEveryTornAndHostileInput) {
  std::vector<Binary> attachments;
  std::string whole;
  write_msgpack(whole, json::parse(R"({"key":["text",1.5,70000,-70000,{"a":null}]})"), {});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(read_msgpack(whole.substr(0, cut), {}, attachments)) << cut;
  EXPECT_FALSE(read_msgpack(whole + "\x00"s, {}, attachments));              // bytes left over
  EXPECT_FALSE(read_msgpack("\xc1"s, {}, attachments));                      // never used
  EXPECT_FALSE(read_msgpack("\xdd\xff\xff\xff\xff\x00"s, {}, attachments));  // claims four billion elements
  EXPECT_FALSE(read_msgpack("\xdf\xff\xff\xff\xff\x00"s, {}, attachments));
  EXPECT_FALSE(read_msgpack("\xdb\xff\xff\xff\xff\x00"s, {}, attachments));
  EXPECT_FALSE(read_msgpack("\x81\x01\x02"s, {}, attachments));               // a key that is a number
  EXPECT_FALSE(read_msgpack("\xa1\xff"s, {}, attachments));                   // not UTF-8
  EXPECT_FALSE(read_msgpack(std::string(100'000, '\x91'), {}, attachments));  // nested without end
}

TEST(Msgpack, BoundsTheMembersOfMapsAndTheAttachments) {
  const PacketLimits limits{.attachments = 1, .object_members = 2};
  std::vector<Binary> attachments;
  EXPECT_TRUE(
      read_msgpack("\x92\x82\xa1"
                   "a\x01\xa1"
                   "b\x02\x82\xa1"
                   "a\x01\xa1"
                   "b\x02"s,
                   limits, attachments));
  EXPECT_FALSE(
      read_msgpack("\x83\xa1"
                   "a\x01\xa1"
                   "b\x02\xa1"
                   "c\x03"s,
                   limits, attachments));
  EXPECT_FALSE(
      read_msgpack("\x83\xa1"
                   "a\x01\xa1"
                   "a\x02\xa1"
                   "a\x03"s,
                   limits, attachments));  // a key that is repeated
  EXPECT_TRUE(read_msgpack("\x91\xc4\x01\x07"s, limits, attachments));
  attachments.clear();
  EXPECT_FALSE(read_msgpack("\x92\xc4\x01\x07\xc4\x01\x08"s, limits, attachments));
}

TEST(Msgpack, AMapThatLooksLikeAPlaceholderMayNotStandBesideAttachments) {
  std::vector<Binary> attachments;
  std::string map;
  write_msgpack(map, detail::make_placeholder(0), {});
  EXPECT_FALSE(read_msgpack("\x92\xc4\x01\x07"s + map, {}, attachments)) << "it would stand for the attachment once more";
  attachments.clear();
  EXPECT_EQ(read_msgpack(map, {}, attachments), detail::make_placeholder(0)) << "alone it is a map like any other";
}

}  // namespace
}  // namespace payam::sio
