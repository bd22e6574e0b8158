#include "socketio/encoder.hpp"

#include <gmock/gmock.h>

#include "socketio/decoder.hpp"

namespace payam::sio {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;

std::vector<std::string> payloads(const PacketParts& parts) {
  std::vector<std::string> out;
  for (const auto& part : parts) out.emplace_back(part->payload());
  return out;
}

const Encoder kJson(Parser::json);
const Encoder kMsgpack(Parser::msgpack);

TEST(Encoder, WritesTheExamplesOfTheSpecification) {
  Content none{std::string()};
  EXPECT_THAT(payloads(kJson.event("/", "foo", none)), ElementsAre(R"(42["foo"])"));
  EXPECT_THAT(payloads(kJson.event("/admin", "bar", none)), ElementsAre(R"(42/admin,["bar"])"));
  EXPECT_THAT(payloads(kJson.event("/", "foo", none, 12)), ElementsAre(R"(4212["foo"])"));
  Content bar{std::string("\"bar\"")};
  EXPECT_THAT(payloads(kJson.ack("/admin", 13, bar)), ElementsAre(R"(43/admin,13["bar"])"));
  EXPECT_THAT(payloads(kJson.connect("/admin", "oSO0OpakMV_3jnilAAAA", "")),
              ElementsAre(R"(40/admin,{"sid":"oSO0OpakMV_3jnilAAAA"})"));
  EXPECT_THAT(payloads(kJson.connect("/", "s", "p")), ElementsAre(R"(40{"sid":"s","pid":"p"})"));
  EXPECT_THAT(payloads(kJson.connect_error("/", "Not authorized", nullptr)), ElementsAre(R"(44{"message":"Not authorized"})"));
  EXPECT_THAT(payloads(kJson.connect_error("/x", "no", {{"code", 1}})),
              ElementsAre(R"(44/x,{"message":"no","data":{"code":1}})"));
  EXPECT_THAT(payloads(kJson.connect("/")), ElementsAre("40"));
  EXPECT_THAT(payloads(kJson.error("/x", "no")), ElementsAre(R"(44/x,"no")"));
  EXPECT_THAT(payloads(kJson.disconnect("/")), ElementsAre("41"));
  EXPECT_THAT(payloads(kJson.disconnect("/admin")), ElementsAre("41/admin,"));
}

TEST(Encoder, PutsAttachmentsBehindTheirHeader) {
  Content content(make_arguments(Binary{"\x01\x02"}, "x", std::vector<Binary>{Binary{"\x03"}}));
  const auto parts = kJson.event("/admin", "baz", content);
  EXPECT_THAT(payloads(parts),
              ElementsAre(R"(452-/admin,["baz",{"_placeholder":true,"num":0},"x",[{"_placeholder":true,"num":1}]])", "\x01\x02",
                          "\x03"));
  EXPECT_FALSE(parts[0]->is_binary());
  EXPECT_TRUE(parts[1]->is_binary());

  Content reply(make_arguments(Binary{"\x01"}));
  EXPECT_THAT(payloads(kJson.ack("/", 15, reply)), ElementsAre(R"(461-15[{"_placeholder":true,"num":0}])", "\x01"));
}

TEST(Encoder, AppendsTheOffsetAsLastArgument) {
  Content none{std::string()};
  EXPECT_THAT(payloads(kJson.event("/", "foo", none, {}, "1f")), ElementsAre(R"(42["foo","1f"])"));
  Content content(make_arguments(1, "a"));
  EXPECT_THAT(payloads(kJson.event("/", "foo", content, {}, "1f")), ElementsAre(R"(42["foo",1,"a","1f"])"));
}

TEST(Encoder, EscapesEventNames) {
  Content none{std::string()};
  EXPECT_THAT(payloads(kJson.event("/", "a\"b", none)), ElementsAre(R"(42["a\"b"])"));
}

TEST(Encoder, TakesArgumentsThatAreTextAlready) {
  Content content{std::string(R"({"id":1},"b")")};
  EXPECT_THAT(payloads(kJson.event("/", "x", content)), ElementsAre(R"(42["x",{"id":1},"b"])"));
}

TEST(Encoder, NeverSendsAPlaceholderWithoutAttachment) {
  // What a client may have sent as plain JSON, forwarded beside binary data.
  Content content(make_arguments(json::value(json::object{{"_placeholder", true}, {"num", 9}}), Binary{"\x01"}));
  EXPECT_THAT(payloads(kJson.event("/", "x", content)), ElementsAre(R"(451-["x",null,{"_placeholder":true,"num":0}])", "\x01"));
}

TEST(Encoder, MsgpackPacketsReadBack) {
  Content content(make_arguments("سلام", Binary{"\x01"}, 1.5, -3, true, nullptr));
  const auto parts = kMsgpack.event("/x", "hello", content, 7, "1f");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0]->is_binary());
  const auto packet = decode_msgpack(parts[0]->payload());
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::event);
  EXPECT_EQ(packet->nsp, "/x");
  EXPECT_EQ(packet->id, 7u);
  EXPECT_EQ(packet->event, "hello");
  EXPECT_EQ(packet->arguments.values.size(), 7u);
  EXPECT_EQ(read_argument<std::string>(packet->arguments, 0), "سلام");
  EXPECT_EQ(read_argument<Binary>(packet->arguments, 1), Binary{"\x01"});
  EXPECT_EQ(read_argument<double>(packet->arguments, 2), 1.5);
  EXPECT_EQ(read_argument<int>(packet->arguments, 3), -3);
  EXPECT_EQ(read_argument<bool>(packet->arguments, 4), true);
  EXPECT_EQ(read_argument<std::string>(packet->arguments, 6), "1f");

  const auto connect = decode_msgpack(kMsgpack.connect("/", "s", "p")[0]->payload());
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->payload.at("pid").as_string(), "p");
  const auto disconnect = decode_msgpack(kMsgpack.disconnect("/y")[0]->payload());
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->nsp, "/y");
  Content raw{std::string(R"({"status":"ok"})")};
  const auto ack = decode_msgpack(kMsgpack.ack("/", 3, raw)[0]->payload());
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->arguments.values.at(0).at("status").as_string(), "ok");
}

TEST(Encoder, AnAcknowledgementOfOneValueIsTheSameWithoutItsCopy) {
  for (const json::value& value :
       {json::value("bar"), json::value(nullptr), json::value{{"text", "\n\u0633"}, {"n", {1, 2.5}}}}) {
    for (const Encoder* encoder : {&kJson, &kMsgpack}) {
      Content content(make_arguments(value));
      EXPECT_EQ(payloads(encoder->ack("/admin", 13, value)), payloads(encoder->ack("/admin", 13, content)));
    }
  }
  EXPECT_THAT(payloads(kJson.ack("/", 7, json::value{{"a", 1}})), ElementsAre(R"(437[{"a":1}])"));
  // A long one leaves nothing behind for the next.
  kJson.ack("/", 1, json::value(std::string(100'000, 'x')));
  EXPECT_THAT(payloads(kJson.ack("/", 2, json::value(true))), ElementsAre("432[true]"));
}

}  // namespace
}  // namespace payam::sio
