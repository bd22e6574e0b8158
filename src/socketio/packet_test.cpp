#include "socketio/packet.hpp"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

namespace payam::sio {
namespace {

namespace json = boost::json;

struct TextPacket {
  Packet packet;
  unsigned attachments = 0;
};

std::optional<TextPacket> decode(std::string_view text) {
  TextPacket out;
  const auto attachments = decode_text(text, {}, out.packet);
  if (!attachments) return std::nullopt;
  out.attachments = *attachments;
  return out;
}

std::string many_times_the_first_attachment(int count) {
  std::string out = R"(51-["x")";
  for (int i = 0; i < count; ++i) out += R"(,{"_placeholder":true,"num":0})";
  return out + "]";
}

std::string arguments_of(const Packet& packet) { return json::serialize(packet.arguments.values); }

// The examples of the specification, then its allowed variations.
TEST(Packet, DecodesConnect) {
  const auto main = decode("0");
  ASSERT_TRUE(main);
  EXPECT_EQ(main->packet.type, PacketType::connect);
  EXPECT_EQ(main->packet.nsp, "/");
  EXPECT_TRUE(main->packet.payload.is_null());

  const auto custom = decode(R"(0/admin,{"token":"123"})");
  ASSERT_TRUE(custom);
  EXPECT_EQ(custom->packet.nsp, "/admin");
  EXPECT_EQ(json::serialize(custom->packet.payload), R"({"token":"123"})");

  const auto without_comma = decode("0/custom");
  ASSERT_TRUE(without_comma);
  EXPECT_EQ(without_comma->packet.nsp, "/custom");
}

TEST(Packet, DecodesEvents) {
  const struct {
    std::string_view text, nsp, event, arguments;
    std::optional<std::uint64_t> id;
  } cases[] = {
      {R"(2["foo"])", "/", "foo", "[]", {}},
      {R"(2/admin,["bar"])", "/admin", "bar", "[]", {}},
      {R"(212["foo"])", "/", "foo", "[]", 12},
      {R"(2/admin,13["foo",1])", "/admin", "foo", "[1]", 13},
      {R"(20["foo"])", "/", "foo", "[]", 0},
      {R"(2["message",1,"2",{"3":[true]}])", "/", "message", R"([1,"2",{"3":[true]}])", {}},
      {R"(2[1,2])", "/", "1", "[2]", {}},
      {R"(2[1.5])", "/", "1.5", "[]", {}},
      {R"(2[""])", "/", "", "[]", {}},
      {R"(2["a,b"])", "/", "a,b", "[]", {}},
      {R"(2/چت,["سلام","👋"])", "/چت", "سلام", R"(["👋"])", {}},
      {R"(29007199254740991["x"])", "/", "x", "[]", 9007199254740991},
      {R"(2["x",{"_placeholder":true,"num":0}])", "/", "x", R"([{"_placeholder":true,"num":0}])", {}},
  };
  for (const auto& each : cases) {
    const auto decoded = decode(each.text);
    ASSERT_TRUE(decoded) << each.text;
    EXPECT_EQ(decoded->packet.type, PacketType::event) << each.text;
    EXPECT_EQ(decoded->packet.nsp, each.nsp) << each.text;
    EXPECT_EQ(decoded->packet.event, each.event) << each.text;
    EXPECT_EQ(arguments_of(decoded->packet), each.arguments) << each.text;
    EXPECT_EQ(decoded->packet.id, each.id) << each.text;
    EXPECT_EQ(decoded->attachments, 0u) << each.text;
  }
}

TEST(Packet, DecodesAcknowledgementsAndDisconnects) {
  const auto ack = decode(R"(3/admin,13["bar"])");
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->packet.type, PacketType::ack);
  EXPECT_EQ(ack->packet.id, 13u);
  EXPECT_EQ(arguments_of(ack->packet), R"(["bar"])");
  ASSERT_TRUE(decode("312[]"));

  const auto disconnect = decode("1/admin,");
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->packet.type, PacketType::disconnect);
  EXPECT_EQ(disconnect->packet.nsp, "/admin");
  ASSERT_TRUE(decode("1"));
}

TEST(Packet, DecodesBinaryHeaders) {
  const auto event = decode(R"(52-/admin,7["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->packet.type, PacketType::event);
  EXPECT_EQ(event->attachments, 2u);
  EXPECT_EQ(event->packet.nsp, "/admin");
  EXPECT_EQ(event->packet.id, 7u);

  const auto ack = decode(R"(61-15["bar",{"_placeholder":true,"num":0}])");
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->packet.type, PacketType::ack);
  EXPECT_EQ(ack->attachments, 1u);
  EXPECT_EQ(ack->packet.id, 15u);
}

TEST(Packet, RefusesWhatBreaksTheGrammar) {
  const std::string_view cases[] = {
      "",
      "abc",
      "7[]",
      "9",
      "-1",
      // payloads of the wrong kind
      "0[]",
      "0\"token\"",
      "0null",
      "0{",
      "1{}",
      "1[]",
      "2",
      "2/admin,",
      "2{}",
      "2[]",
      "2null",
      "2[null]",
      "2[true]",
      "2[[\"x\"]]",
      "2[{\"x\":1}]",
      "2abc[\"message\"]",
      "2[\"x\"",
      "2[\"x\"]x",
      "2\"x\"",
      "3",
      "31",
      "31{}",
      "31\"x\"",
      "4[]",
      "4",
      // reserved names
      R"(2["connect"])",
      R"(2["connect_error"])",
      R"(2["disconnect",1])",
      R"(2["disconnecting"])",
      R"(2["newListener"])",
      R"(2["removeListener"])",
      R"(2["disconnect","\ud800"])",
      // attachments: 1 to 10
      R"(5["x"])",
      R"(5-["x"])",
      R"(50-["x"])",
      R"(511-["x"])",
      R"(5-1-["x"])",
      R"(51.0-["x"])",
      R"(51["x"])",
      R"(599999999999999999999-["x"])",
      R"(6["x"])",
      // placeholders
      R"(51-["x",{"_placeholder":true,"num":1}])",
      R"(51-["x",{"_placeholder":true,"num":-1}])",
      R"(51-["x",{"_placeholder":true,"num":"0"}])",
      R"(51-["x",{"_placeholder":true,"num":0.5}])",
      R"(51-["x",{"_placeholder":true}])",
      R"(51-["x",[{"a":{"_placeholder":true,"num":18446744073709551615}}]])",
      // an id no client can count to
      R"(29007199254740992["x"])",
      R"(299999999999999999999["x"])",
  };
  for (const auto text : cases) EXPECT_FALSE(decode(text)) << text;
  EXPECT_FALSE(decode(many_times_the_first_attachment(11)));
}

TEST(Packet, ConnectErrorIsGrammaticalThoughOnlyServersSendIt) {
  EXPECT_TRUE(decode(R"(4{"message":"no"})"));
  EXPECT_TRUE(decode(R"(4"no")"));
}

TEST(Packet, HandsUnreadableDataToTheApplicationInsteadOfClosing) {
  const auto surrogate = decode(R"(217["chat","\ud800"])");
  ASSERT_TRUE(surrogate);
  EXPECT_EQ(surrogate->packet.event, "chat");
  EXPECT_EQ(surrogate->packet.id, 17u);
  EXPECT_EQ(surrogate->packet.fault, "a lone surrogate in a string");
  EXPECT_TRUE(surrogate->packet.arguments.values.empty());

  const auto utf8 = decode("2[\"chat\",\"\xc3\x28\"]");
  ASSERT_TRUE(utf8);
  EXPECT_EQ(utf8->packet.event, "chat");
  EXPECT_EQ(utf8->packet.fault, "invalid UTF-8");

  const auto deep = decode("2[\"chat\"," + std::string(500, '[') + std::string(500, ']') + "]");
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->packet.event, "chat");
  EXPECT_EQ(deep->packet.fault, "nested too deep");

  const auto hundred_levels = decode("2[\"chat\"," + std::string(100, '[') + std::string(100, ']') + "]");
  ASSERT_TRUE(hundred_levels);
  EXPECT_EQ(hundred_levels->packet.fault, "");
}

TEST(Packet, APlaceholderMayBeUsedTwiceAndAnAttachmentNotAtAll) {
  EXPECT_TRUE(decode(R"(51-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])"));
  EXPECT_TRUE(decode(many_times_the_first_attachment(10)));
  EXPECT_TRUE(decode(R"(51-["x"])"));
  EXPECT_TRUE(decode(R"(51-["x",{"_placeholder":true,"num":0.0}])"));
  EXPECT_TRUE(decode(R"(51-["x",{"_placeholder":1,"num":5}])"));
}

TEST(Packet, ArrangesAttachmentsInTheOrderOfTheirPlaceholders) {
  const auto placeholder = [](std::int64_t number) { return json::object{{"_placeholder", true}, {"num", number}}; };
  Arguments arguments;
  arguments.values = {placeholder(2), json::object{{"in", placeholder(0)}}, placeholder(2), placeholder(7), placeholder(-1)};
  arguments.attachments = {Binary{"zero"}, Binary{"unused"}, Binary{"two"}};
  arrange_attachments(arguments);
  EXPECT_EQ(json::serialize(arguments.values),
            R"([{"_placeholder":true,"num":0},{"in":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0},null,null])");
  EXPECT_EQ(arguments.attachments, (std::vector<Binary>{Binary{"two"}, Binary{"zero"}}));
}

TEST(Packet, WritesHeaders) {
  const auto header = [](PacketType type, std::size_t attachments, std::string_view nsp, std::optional<std::uint64_t> id) {
    std::string out;
    append_header(out, type, attachments, nsp, id);
    return out;
  };
  EXPECT_EQ(header(PacketType::connect, 0, "/", {}), "0");
  EXPECT_EQ(header(PacketType::disconnect, 0, "/admin", {}), "1/admin,");
  EXPECT_EQ(header(PacketType::event, 0, "/", 12), "212");
  EXPECT_EQ(header(PacketType::binary_event, 2, "/admin", 3), "52-/admin,3");
}

}  // namespace
}  // namespace payam::sio
