#include "http/codec/codec.hpp"

#include <gmock/gmock.h>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "http/codec/parse.hpp"

namespace payam::http {
namespace {

enum class Role { owner, admin, member };
BOOST_DESCRIBE_ENUM(Role, owner, admin, member)

struct Sub {
  std::int64_t a = 0;
  std::optional<std::string> b;
};
BOOST_DESCRIBE_STRUCT(Sub, (), (a, b))

struct Model {
  Text<2, 5> s;
  Email e;
  Default<Integer<1, 500>, 100> i;
  std::optional<std::int64_t> o;
  Maybe<List<std::string, 2, 1>> l;
  Default<Role, Role::owner> r;
  std::optional<Sub> n;
  std::optional<Timestamp> t;
  Default<bool, false> flag;
  std::optional<double> f;
  Maybe<Dict<std::int64_t, 2>> d;
};
BOOST_DESCRIBE_STRUCT(Model, (), (s, e, i, o, l, r, n, t, flag, f, d))

Parsed<Model> parse_text(std::string_view text) { return parse_body<Model>(text, "application/json"); }

// The body that FastAPI 0.165 with Pydantic 2.14 gives for the same model and input.
std::string refusal(std::string_view text, std::string_view content_type = "application/json") {
  const auto parsed = parse_body<Model>(text, content_type);
  return parsed ? "accepted" : faults_body(parsed.error());
}

// With the required fields right, and one more.
std::string refusal_of(std::string_view name, std::string_view value) {
  std::string text = R"({"s":"abc","e":"a@b.co",")" + std::string(name) + "\":" + std::string(value) + "}";
  const auto body = json::parse(refusal(text) == "accepted" ? R"({"detail":["accepted"]})" : refusal(text));
  const auto& detail = body.at("detail").as_array();
  return detail.size() == 1 && detail[0].is_object() ? json::serialize(detail[0]) : json::serialize(body);
}

TEST(Codec, ReadsEveryKindOfField) {
  const auto model = parse_text(R"({"s":"سلام!","e":" Sara@Example.ORG ","i":7,"o":-3,"l":["x","y"],"r":"admin",
      "n":{"a":1,"b":null,"unknown":true},"t":"2026-11-23T05:52:00.123Z","flag":true,"f":1.5,"d":{"x":1},"extra":[]})");
  ASSERT_TRUE(model) << faults_body(model.error());
  EXPECT_EQ(*model->s, "سلام!");
  EXPECT_EQ(*model->e, "sara@example.org");
  EXPECT_EQ(*model->i, 7);
  EXPECT_EQ(model->o, -3);
  EXPECT_THAT(**model->l, testing::ElementsAre("x", "y"));
  EXPECT_EQ(*model->r, Role::admin);
  EXPECT_EQ(model->n->a, 1);
  EXPECT_EQ(model->n->b, std::nullopt);
  EXPECT_EQ(to_iso8601(*model->t), "2026-11-23T05:52:00.123Z");
  EXPECT_TRUE(*model->flag);
  EXPECT_EQ(model->f, 1.5);
  EXPECT_EQ((*model->d)->at("x"), 1);
}

TEST(Codec, MissingFieldsTakeTheirDefaults) {
  const auto model = parse_text(R"({"s":"abc","e":"a@b.co"})");
  ASSERT_TRUE(model);
  EXPECT_EQ(*model->i, 100);
  EXPECT_EQ(model->o, std::nullopt);
  EXPECT_FALSE(model->l);
  EXPECT_EQ(*model->r, Role::owner);
  EXPECT_FALSE(*model->flag);
}

TEST(Codec, BodiesThatAreNoObject) {
  EXPECT_EQ(refusal(""), R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
  EXPECT_EQ(refusal("null"), R"({"detail":[{"type":"model_attributes_type","loc":["body"],)"
                             R"("msg":"Input should be a valid dictionary or object to extract fields from","input":null}]})");
  EXPECT_EQ(refusal("[]"), R"({"detail":[{"type":"model_attributes_type","loc":["body"],)"
                           R"("msg":"Input should be a valid dictionary or object to extract fields from","input":[]}]})");
  EXPECT_EQ(refusal("a=b", "application/x-www-form-urlencoded"),
            R"({"detail":[{"type":"model_attributes_type","loc":["body"],)"
            R"("msg":"Input should be a valid dictionary or object to extract fields from","input":"a=b"}]})");
  EXPECT_EQ(refusal(R"({"s":"abc","e":"a@b.co"})", "Application/JSON; charset=utf-8"), "accepted");
  EXPECT_EQ(refusal(R"({"s":"abc","e":"a@b.co"})", ""), "accepted");
  EXPECT_EQ(refusal(R"({"s":"abc","e":"a@b.co"})", "application/vnd.payam+json"), "accepted");
}

TEST(Codec, MalformedJsonIsSaidWithItsPlace) {
  EXPECT_EQ(refusal("abc"), R"({"detail":[{"type":"json_invalid","loc":["body",0],"msg":"JSON decode error","input":{},)"
                            R"("ctx":{"error":"Expecting value"}}]})");
  EXPECT_EQ(refusal("{}x"), R"({"detail":[{"type":"json_invalid","loc":["body",2],"msg":"JSON decode error","input":{},)"
                            R"("ctx":{"error":"Extra data"}}]})");
  EXPECT_EQ(refusal("[1,"), R"({"detail":[{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},)"
                            R"("ctx":{"error":"Expecting value"}}]})");
  for (const char* text : {"{", "{\"a\":}", "{\"a\":1,}", "\"x", "\xff", "{\"s\":\"\xc3\"}", R"({"s":"\ud800"})",
                           R"({"s":"\udc00x"})", "{\"s\":\"a\nb\"}", "nul"}) {
    EXPECT_THAT(refusal(text), testing::HasSubstr("json_invalid")) << text;
  }
  EXPECT_THAT(refusal(std::string(1000, '[')), testing::HasSubstr("Nested too deeply"));
  std::string large = "{\"0\":0";
  for (int i = 1; i < 1'025; ++i) large += ",\"" + std::to_string(i) + "\":0";
  EXPECT_THAT(refusal(large + "}"), testing::HasSubstr("Too many members in an object"));
}

TEST(Codec, EveryFaultIsListedAtOnce) {
  EXPECT_EQ(refusal("{}"), R"({"detail":[{"type":"missing","loc":["body","s"],"msg":"Field required","input":{}},)"
                           R"({"type":"missing","loc":["body","e"],"msg":"Field required","input":{}}]})");
  EXPECT_EQ(refusal(R"({"s":"","i":"q","n":{"a":"z"},"l":["x",2]})"),
            R"({"detail":[{"type":"string_too_short","loc":["body","s"],"msg":"String should have at least 2 characters",)"
            R"("input":"","ctx":{"min_length":2}},)"
            R"({"type":"missing","loc":["body","e"],"msg":"Field required",)"
            R"("input":{"s":"","i":"q","n":{"a":"z"},"l":["x",2]}},)"
            R"({"type":"int_parsing","loc":["body","i"],)"
            R"("msg":"Input should be a valid integer, unable to parse string as an integer","input":"q"},)"
            R"({"type":"string_type","loc":["body","l",1],"msg":"Input should be a valid string","input":2},)"
            R"({"type":"int_parsing","loc":["body","n","a"],)"
            R"("msg":"Input should be a valid integer, unable to parse string as an integer","input":"z"}]})");
}

// A refusal is JSON, whatever was sent.
TEST(Codec, ANumberBeyondADoubleIsShownAsNull) {
  EXPECT_EQ(refusal_of("s", "1e400"),
            R"({"type":"string_type","loc":["body","s"],"msg":"Input should be a valid string","input":null})");
  EXPECT_EQ(
      refusal_of("s", R"([-1e400,{"a":[1e400,1]}])"),
      R"({"type":"string_type","loc":["body","s"],"msg":"Input should be a valid string","input":[null,{"a":[null,1]}]})");
}

TEST(Codec, TextIsCountedInCodePoints) {
  EXPECT_EQ(refusal_of("s", R"("سلامس")"), R"({"detail":["accepted"]})");
  EXPECT_EQ(refusal_of("s", R"("😀😀😀😀😀")"), R"({"detail":["accepted"]})");
  EXPECT_EQ(refusal_of("s", R"("abcdef")"),
            R"({"type":"string_too_long","loc":["body","s"],"msg":"String should have at most 5 characters",)"
            R"("input":"abcdef","ctx":{"max_length":5}})");
  EXPECT_EQ(refusal_of("s", "5"),
            R"({"type":"string_type","loc":["body","s"],"msg":"Input should be a valid string","input":5})");
  EXPECT_EQ(refusal_of("s", R"("a\u0000b")"),
            R"({"type":"value_error","loc":["body","s"],"msg":"Value error, NUL is not allowed in text",)"
            R"("input":"a\u0000b","ctx":{"error":{}}})");
}

TEST(Codec, IntegersAreReadLaxly) {
  for (const char* good : {"7", "\"7\"", "\" 7 \"", "\"+7\"", "\"007\"", "7.0", "\"7.00\"", "true", "\"1_0\""}) {
    EXPECT_EQ(refusal_of("i", good), R"({"detail":["accepted"]})") << good;
  }
  EXPECT_EQ(refusal_of("i", "0"), R"({"type":"greater_than_equal","loc":["body","i"],)"
                                  R"("msg":"Input should be greater than or equal to 1","input":0,"ctx":{"ge":1}})");
  EXPECT_EQ(refusal_of("i", "\"501\""), R"({"type":"less_than_equal","loc":["body","i"],)"
                                        R"("msg":"Input should be less than or equal to 500","input":"501","ctx":{"le":500}})");
  EXPECT_EQ(refusal_of("i", "1.5"),
            R"({"type":"int_from_float","loc":["body","i"],)"
            R"("msg":"Input should be a valid integer, got a number with a fractional part","input":1.5E0})");
  EXPECT_EQ(refusal_of("i", "null"),
            R"({"type":"int_type","loc":["body","i"],"msg":"Input should be a valid integer","input":null})");
  for (const char* bad :
       {"\"\"", "\"0x1\"", "\"1e2\"", "\"۷\"", "\"1__0\"", "\"_1\"", "\"1_\"", "\"+\"", "\"1.5\"", "\"1.\"", "\".0\""}) {
    EXPECT_THAT(refusal_of("i", bad), testing::HasSubstr("\"int_parsing\"")) << bad;
  }
  for (const char* huge : {"9223372036854775808", "1e300", "\"9223372036854775808\"", "-1e19"}) {
    EXPECT_THAT(refusal_of("o", huge), testing::HasSubstr("\"int_parsing_size\"")) << huge;
  }
}

TEST(Codec, ListsAreCountedBeforeTheirItemsAreRead) {
  EXPECT_EQ(refusal_of("l", R"(["a","b",3])"),
            R"({"type":"too_long","loc":["body","l"],"msg":"List should have at most 2 items after validation, not 3",)"
            R"("input":["a","b",3],"ctx":{"field_type":"List","max_length":2,"actual_length":3}})");
  EXPECT_EQ(refusal_of("l", "[]"),
            R"({"type":"too_short","loc":["body","l"],"msg":"List should have at least 1 item after validation, not 0",)"
            R"("input":[],"ctx":{"field_type":"List","min_length":1,"actual_length":0}})");
  EXPECT_EQ(refusal_of("l", "\"x\""),
            R"({"type":"list_type","loc":["body","l"],"msg":"Input should be a valid list","input":"x"})");
  EXPECT_EQ(refusal_of("l", "null"),
            R"({"type":"list_type","loc":["body","l"],"msg":"Input should be a valid list","input":null})");
}

TEST(Codec, EnumsNestedValuesAndTheRest) {
  EXPECT_THAT(refusal_of("l", "{}"), testing::HasSubstr("\"list_type\""));
  EXPECT_THAT(refusal_of("d", R"({"a":1,"b":2,"c":3})"),
              testing::HasSubstr("Dictionary should have at most 2 items after validation, not 3"));
  EXPECT_THAT(refusal_of("flag", "1.5"), testing::HasSubstr("\"bool_type\""));
  EXPECT_EQ(refusal_of("f", "\"+1.5\""), R"({"detail":["accepted"]})");
  EXPECT_EQ(refusal_of("r", "\"boss\""),
            R"({"type":"enum","loc":["body","r"],"msg":"Input should be 'owner', 'admin' or 'member'","input":"boss",)"
            R"("ctx":{"expected":"'owner', 'admin' or 'member'"}})");
  EXPECT_EQ(refusal_of("n", "{}"), R"({"type":"missing","loc":["body","n","a"],"msg":"Field required","input":{}})");
  EXPECT_THAT(refusal_of("n", "1"), testing::HasSubstr(R"("type":"model_attributes_type","loc":["body","n"])"));
  EXPECT_EQ(refusal_of("d", "[]"),
            R"({"type":"dict_type","loc":["body","d"],"msg":"Input should be a valid dictionary","input":[]})");
  EXPECT_THAT(refusal_of("d", R"({"a":"x"})"), testing::HasSubstr(R"("type":"int_parsing","loc":["body","d","a"])"));
  EXPECT_EQ(refusal_of("flag", "2"), R"({"type":"bool_parsing","loc":["body","flag"],)"
                                     R"("msg":"Input should be a valid boolean, unable to interpret input","input":2})");
  EXPECT_EQ(refusal_of("flag", "null"),
            R"({"type":"bool_type","loc":["body","flag"],"msg":"Input should be a valid boolean","input":null})");
  EXPECT_EQ(refusal_of("flag", "\"YES\""), R"({"detail":["accepted"]})");
  EXPECT_EQ(refusal_of("f", "\"nan\""),
            R"({"type":"finite_number","loc":["body","f"],"msg":"Input should be a finite number","input":"nan"})");
  EXPECT_EQ(refusal_of("f", "[]"),
            R"({"type":"float_type","loc":["body","f"],"msg":"Input should be a valid number","input":[]})");
}

TEST(Codec, TimesHaveAnyZoneAndPrecision) {
  const std::pair<const char*, const char*> good[] = {{"2026-11-23T05:52:00.123Z", "2026-11-23T05:52:00.123Z"},
                                                      {"2026-11-23 05:52Z", "2026-11-23T05:52:00.000Z"},
                                                      {"2026-11-23T05:52:00.123456+03:30", "2026-11-23T02:22:00.123Z"},
                                                      {"2026-11-23T05:52:00-0100", "2026-11-23T06:52:00.000Z"},
                                                      {"2026-11-23", "2026-11-23T00:00:00.000Z"}};
  for (const auto& [text, expected] : good) {
    const auto parsed = parse<Timestamp>(json::value(text));
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_iso8601(*parsed), expected) << text;
  }
  EXPECT_EQ(refusal_of("t", "\"x\""), R"({"type":"datetime_from_date_parsing","loc":["body","t"],)"
                                      R"("msg":"Input should be a valid datetime or date, input is too short","input":"x",)"
                                      R"("ctx":{"error":"input is too short"}})");
  for (const char* bad : {"2026-13-01", "2026-02-30", "2026-11-23T24:00Z", "2026-11-23T05:52:00Zx", "2026-11-23T05:52:00+3",
                          "2026-11-23x05:52", "2026/11/23", "2026-11-23T05:52:00.Z"}) {
    EXPECT_FALSE(parse<Timestamp>(json::value(bad))) << bad;
  }
  EXPECT_THAT(refusal_of("t", "{}"), testing::HasSubstr("\"datetime_type\""));
}

TEST(Codec, EmailAddresses) {
  for (const char* good : {"a@b.co", "first.last+tag@sub.example.org", "é@b.co", "a@é.co", "x_y@b-c.de", "A@B.Co"}) {
    EXPECT_TRUE(parse<Email>(json::value(good))) << good;
  }
  EXPECT_EQ(refusal_of("e", "5"),  // the last of two equal names counts
            R"({"type":"string_type","loc":["body","e"],"msg":"Input should be a valid string","input":5})");
  EXPECT_EQ(faults_body(parse<Email>(json::value("x"), {"body", "e"}).error()),
            R"({"detail":[{"type":"value_error","loc":["body","e"],)"
            R"("msg":"value is not a valid email address: An email address must have an @-sign.","input":"x",)"
            R"("ctx":{"reason":"An email address must have an @-sign."}}]})");
  for (const char* bad : {"",        "@b.co",    "a@",      "a@b",     "a b@c.de",    "a@b.c.",        "a..b@c.de",
                          "a@@b.co", "a@b_c.de", "a@-b.co", "a@b-.co", "a@[1.2.3.4]", "\"a\"@b.co",    ".a@b.co",
                          "a.@b.co", "a@.b.co",  "a@b..co", "a@b.123", "a(@b.co",     "Name <a@b.co>", "a@b.co, c@d.co"}) {
    EXPECT_FALSE(parse<Email>(json::value(bad))) << bad;
  }
  EXPECT_FALSE(parse<Email>(json::value(std::string(65, 'x') + "@b.co")));
  EXPECT_FALSE(parse<Email>(json::value("a@" + std::string(64, 'x') + ".co")));
}

struct Form {
  std::string username;
  Text<3> password;
  std::optional<std::int64_t> n;
  Default<Integer<1, 500>, 100> limit;
  List<std::string, 3> tags;
};
BOOST_DESCRIBE_STRUCT(Form, (), (username, password, n, limit, tags))

TEST(Codec, FormsTakeAnEmptyTextForAMissingField) {
  const Pairs pairs{{"username", ""}, {"password", "ab"}, {"n", "x"}, {"tags", "1"}};
  const auto parsed = parse_pairs<Form>(pairs, {"body"}, Blank::missing);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(faults_body(parsed.error()),
            R"({"detail":[{"type":"missing","loc":["body","username"],"msg":"Field required","input":null},)"
            R"({"type":"string_too_short","loc":["body","password"],"msg":"String should have at least 3 characters",)"
            R"("input":"ab","ctx":{"min_length":3}},)"
            R"({"type":"int_parsing","loc":["body","n"],)"
            R"("msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]})");
}

struct TokenForm {
  std::optional<Opaque> token;
  std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(TokenForm, (), (token, name))

TEST(Codec, AnOpaqueTextIsAnyBytesAndInAFormAlsoNone) {
  for (const std::string& bytes : {std::string(), std::string("\xff\0\xc3", 3), std::string(2'000'000, 'x')}) {
    const auto parsed = parse_pairs<TokenForm>({{"token", bytes}, {"name", ""}}, {"body"}, Blank::missing);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->token, Opaque{bytes});
    EXPECT_EQ(parsed->name, std::nullopt);
  }
  EXPECT_EQ(parse_pairs<TokenForm>({}, {"body"}, Blank::missing)->token, std::nullopt);
}

TEST(Codec, OfAQueryTheLastValueCountsAndAListTakesAll) {
  const Pairs pairs{{"username", ""}, {"password", "abc"}, {"limit", "0"}, {"limit", "7"},
                    {"tags", "a"},    {"tags", "b"},       {"z", ""}};
  const auto parsed = parse_pairs<Form>(pairs, {"query"});
  ASSERT_TRUE(parsed) << faults_body(parsed.error());
  EXPECT_EQ(parsed->username, "");
  EXPECT_EQ(*parsed->limit, 7);
  EXPECT_THAT(*parsed->tags, testing::ElementsAre("a", "b"));
}

TEST(Codec, BytesThatAreNotUtf8AreRefusedAndNotEchoed) {
  const Pairs pairs{{"username", "\xff"}, {"password", "abc"}, {"tags", "x"}};
  EXPECT_EQ(faults_body(parse_pairs<Form>(pairs, {"query"}).error()),
            R"({"detail":[{"type":"string_unicode","loc":["query","username"],)"
            R"("msg":"Input should be a valid string, unable to parse raw data as a unicode string","input":null}]})");
}

struct Send {
  Text<0, 10> content;
  std::vector<std::string> attachments;
  std::optional<std::string> check() const {
    if (content->empty() && attachments.empty()) return "content may be empty only with attachments";
    return std::nullopt;
  }
};
BOOST_DESCRIBE_STRUCT(Send, (), (content, attachments))

struct FewBytes {
  static std::optional<std::string> refuse(const std::string& value) {
    if (value.size() > 4) return "at most 4 bytes";
    return std::nullopt;
  }
};

TEST(Codec, RulesOfOurOwnAreValueErrors) {
  EXPECT_EQ(
      faults_body(parse<Send>(json::parse(R"({"content":"","attachments":[]})"), {"body"}).error()),
      R"({"detail":[{"type":"value_error","loc":["body"],"msg":"Value error, content may be empty only with attachments",)"
      R"("input":{"content":"","attachments":[]},"ctx":{"error":{}}}]})");
  EXPECT_TRUE(parse<Send>(json::parse(R"({"content":"","attachments":["u"]})")));
  using Short = Field<std::string, Length<1, 5>, FewBytes>;
  EXPECT_TRUE(parse<Short>(json::value("abcd")));
  EXPECT_EQ(parse<Short>(json::value("سلام")).error().at(0).msg, "Value error, at most 4 bytes");
  EXPECT_EQ(parse<Short>(json::value("")).error().at(0).type, "string_too_short");
}

TEST(Codec, AnswersStaySmallHoweverLargeTheInput) {
  const auto many = parse<std::vector<std::string>>(json::value(json::array(5000, json::value(1))));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().size(), 100u);
  const auto large = parse<Email>(json::value(std::string(100'000, 'x')));
  EXPECT_LT(faults_body(large.error()).size(), 2000u);
  json::object crowded;
  for (int i = 0; i < 5000; ++i) crowded["k" + std::to_string(i)] = i;
  EXPECT_EQ(json::serialize(parse<Form>(crowded).error().at(0).input), "{}");
}

struct Change {
  Patch<std::string> full_name;
  Maybe<std::string> delete_;
};
BOOST_DESCRIBE_STRUCT(Change, (), (full_name, delete_))

TEST(Codec, APatchTellsMissingFromNull) {
  EXPECT_FALSE(parse<Change>(json::parse("{}"))->full_name.present);
  const auto cleared = parse<Change>(json::parse(R"({"full_name":null,"delete":"x"})"));
  EXPECT_TRUE(cleared->full_name.present);
  EXPECT_EQ(cleared->full_name.value, std::nullopt);
  EXPECT_EQ(cleared->delete_, "x");
  EXPECT_EQ(parse<Change>(json::parse(R"({"full_name":"N"})"))->full_name.value, "N");
  EXPECT_FALSE(parse<Change>(json::parse(R"({"delete":null})")));
}

using ThingId = Id<struct ThingTag>;
using ThingSeq = Counter<struct ThingTag>;

struct Reply {
  ThingId id;
  ThingSeq seq;
  std::string name;
  std::optional<std::string> sender;
  Maybe<int> width;
  Timestamp at{};
  std::vector<Sub> subs;
  std::uint64_t size = 0;
  double ratio = 0;
  json::value any;
};
BOOST_DESCRIBE_STRUCT(Reply, (), (id, seq, name, sender, width, at, subs, size, ratio, any))

TEST(Codec, WritesWhatItReads) {
  Reply reply;
  reply.id = ThingId("r1");
  reply.seq = {3};
  reply.name = "\"\\\n\x01ی😀";
  reply.at = *parse_iso8601("2026-11-23T05:52:00.123Z");
  reply.subs = {{1, "b"}, {2, std::nullopt}};
  reply.size = 18446744073709551615u;
  reply.ratio = 0.5;
  reply.any = {1, "x"};
  EXPECT_EQ(to_json_text(reply),
            R"({"id":"r1","seq":3,"name":"\"\\\n\u0001ی😀","sender":null,"at":"2026-11-23T05:52:00.123Z",)"
            R"("subs":[{"a":1,"b":"b"},{"a":2,"b":null}],"size":18446744073709551615,"ratio":0.5,"any":[1,"x"]})");
  reply.width = 640;
  reply.size = 9;
  const auto back = parse<Reply>(json::parse(to_json_text(reply)));
  ASSERT_TRUE(back) << faults_body(back.error());
  EXPECT_EQ(to_json_text(*back), to_json_text(reply));
}

json::value document_of(json::object reference) { return json::value{{"schema", std::move(reference)}}; }

TEST(Schema, SaysWhatTheTypesSay) {
  Schemas schemas;
  auto document = document_of(Codec<Model>::schema(schemas, Direction::input));
  const auto components = schemas.finish(document);
  EXPECT_EQ(document, json::parse(R"({"schema":{"$ref":"#/components/schemas/Model"}})"));
  EXPECT_EQ(json::value(components), json::parse(R"({
    "Model":{"type":"object","title":"Model","properties":{
      "s":{"type":"string","minLength":2,"maxLength":5},
      "e":{"type":"string","format":"email"},
      "i":{"type":"integer","minimum":1,"maximum":500,"default":100},
      "o":{"anyOf":[{"type":"integer"},{"type":"null"}]},
      "l":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":2},
      "r":{"$ref":"#/components/schemas/Role","default":"owner"},
      "n":{"anyOf":[{"$ref":"#/components/schemas/Sub"},{"type":"null"}]},
      "t":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]},
      "flag":{"type":"boolean","default":false},
      "f":{"anyOf":[{"type":"number"},{"type":"null"}]},
      "d":{"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2}},
      "required":["s","e"]},
    "Role":{"type":"string","title":"Role","enum":["owner","admin","member"]},
    "Sub":{"type":"object","title":"Sub","properties":{"a":{"type":"integer"},
      "b":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["a"]}})"));
}

struct Outer {
  std::optional<Sub> sub;
  Role role{};
};
BOOST_DESCRIBE_STRUCT(Outer, (), (sub, role))

TEST(Schema, ATypeThatDiffersBetweenRequestAndReplyHasTwoNames) {
  Schemas schemas;
  json::object both{{"in", Codec<Outer>::schema(schemas, Direction::input)},
                    {"out", Codec<Outer>::schema(schemas, Direction::output)}};
  json::value document = both;
  const auto components = schemas.finish(document);
  EXPECT_EQ(document, json::parse(R"({"in":{"$ref":"#/components/schemas/Outer-Input"},
                                      "out":{"$ref":"#/components/schemas/Outer-Output"}})"));
  std::vector<std::string> names;
  for (const auto& [name, schema] : components) names.emplace_back(name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("Outer-Input", "Outer-Output", "Sub-Input", "Sub-Output", "Role"));
  EXPECT_EQ(components.at("Outer-Output").at("properties").at("sub").at("anyOf").at(0).at("$ref"),
            "#/components/schemas/Sub-Output");
}

TEST(Schema, ReferencesToOtherPartsOfADocumentStay) {
  Schemas schemas;
  json::value document{{"channel", json::object{{"$ref", "#/channels/x"}}}, {"short", json::object{{"$ref", "#"}}}};
  const json::value before = document;
  schemas.finish(document);
  EXPECT_EQ(document, before);
}

struct Login {
  std::string name;
  SecretText<8> password;
  std::optional<std::string> check() const {
    return name == "nobody" ? std::optional<std::string>("nobody signs in") : std::nullopt;
  }
};
BOOST_DESCRIBE_STRUCT(Login, (), (name, password))
struct Logins {
  std::vector<Login> list;
  std::int64_t count = 0;
  std::optional<std::map<std::string, SecretText<8>>> keys;
};
BOOST_DESCRIBE_STRUCT(Logins, (), (list, count, keys))

template <class T>
json::value first_input(std::string_view text) {
  const auto parsed = parse_body<T>(text, "application/json");
  EXPECT_FALSE(parsed);
  return parsed ? json::value() : to_json(parsed.error().front()).at("input");
}

TEST(Secrets, AreHiddenWhereverAnInputShowsThem) {
  const json::value hidden = "**********";
  EXPECT_EQ(first_input<Login>(R"({"name":"a","password":"short"})"), hidden);
  EXPECT_EQ(first_input<Login>(R"({"name":"a","password":["x"]})"), hidden);
  EXPECT_EQ(first_input<Login>(R"({"name":"a","password":)" + json::serialize(json::string(5000, 'x')) + "5}"), json::object())
      << "malformed JSON is never shown";
  EXPECT_EQ(first_input<Login>(R"({"name":"a","password":null})"), nullptr);
  EXPECT_EQ(first_input<Login>(R"({"password":"long enough"})"), json::parse(R"({"password":"**********"})"));
  EXPECT_EQ(first_input<Login>(R"({"name":"a","pasword":"long enough"})"),
            json::parse(R"({"name":"a","pasword":"**********"})"))
      << "a misspelt one";
  EXPECT_EQ(first_input<Login>(R"({"name":"nobody","password":"long enough"})"),
            json::parse(R"({"name":"nobody","password":"**********"})"))
      << "a rule over several fields";
  EXPECT_EQ(first_input<Login>(R"("long enough")"), hidden);
  EXPECT_EQ(first_input<Login>(R"([["long enough"]])"), hidden);
  EXPECT_EQ(first_input<Login>(R"({"name":7,"password":"long enough"})"), 7) << "what is no secret is shown";
}

TEST(Secrets, AreHiddenInWhatHoldsThemToo) {
  EXPECT_EQ(first_input<Logins>(R"({"list":[{"name":"a","password":"long enough"}]})"),
            json::parse(R"({"list":[{"name":"a","password":"**********"}]})"));
  EXPECT_EQ(first_input<Logins>(R"({"list":"long enough","count":1})"), "**********");
  EXPECT_EQ(first_input<Logins>(R"({"list":["long enough"],"count":1})"), "**********");
  EXPECT_EQ(first_input<Logins>(R"({"list":[],"count":1,"keys":{"a":"short"}})"), "**********");
  EXPECT_EQ(first_input<Logins>(R"({"list":[],"keys":{"a":"long enough","b":null}})"),
            json::parse(R"({"list":[],"keys":{"a":"**********","b":null}})"));
}

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (name, children))

TEST(ParseBody, SkipsOneByteOrderMark) {
  EXPECT_TRUE(parse_body<Role>("\xEF\xBB\xBF\"owner\"", "application/json"));
  EXPECT_TRUE(parse_body<Role>("\xEF\xBB\xBF \"owner\"", ""));
  EXPECT_FALSE(parse_body<Role>("\xEF\xBB\xBF\xEF\xBB\xBF\"owner\"", "application/json"));
  EXPECT_FALSE(parse_body<Role>("\xEF\xBB\"owner\"", "application/json"));
  EXPECT_FALSE(parse_body<Role>("\xEF\xBB\xBF", "application/json"));
}

TEST(Schema, ATypeMayContainItself) {
  Schemas schemas;
  auto document = document_of(Codec<Tree>::schema(schemas, Direction::output));
  EXPECT_EQ(json::value(schemas.finish(document)),
            json::parse(R"({"Tree":{"type":"object","title":"Tree","properties":{"name":{"type":"string"},
              "children":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}},"required":["name","children"]}})"));
}

}  // namespace
}  // namespace payam::http
