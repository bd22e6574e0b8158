#include "socketio/json_text.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <cmath>

namespace payam::sio {
namespace {

namespace json = boost::json;

std::string again(std::string_view text) {
  json::value value;
  std::string name;
  EXPECT_EQ(read_json(text, value, name), JsonStatus::ok) << text;
  std::string out;
  write_json(out, value);
  return out;
}

JsonStatus status(std::string_view text, std::string* name = nullptr) {
  json::value value;
  std::string first;
  const JsonStatus result = read_json(text, value, first);
  if (name != nullptr) *name = first;
  return result;
}

TEST(JsonText, WritesNumbersAsJavaScriptDoes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0.3", "0.3"},
      {"0.1", "0.1"},
      {"1.0", "1"},
      {"1e23", "1e+23"},
      {"1e21", "1e+21"},
      {"1e20", "100000000000000000000"},
      {"123456789012345680000", "123456789012345680000"},
      {"0.000001", "0.000001"},
      {"0.0000001", "1e-7"},
      {"1.5e-10", "1.5e-10"},
      {"5e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"-0.0", "0"},
      {"-1.25", "-1.25"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1e999", "null"},
      {"-1e999", "null"},
      {"1e-999", "0"},
  };
  for (const auto& [in, out] : cases) EXPECT_EQ(again(in), out) << in;
}

TEST(JsonText, ReadsTheNearestDouble) {
  json::value value;
  std::string name;
  ASSERT_EQ(read_json("[0.3,3.14159,1e23]", value, name), JsonStatus::ok);
  EXPECT_EQ(value.at(0).get_double(), 0.3);
  EXPECT_EQ(value.at(1).get_double(), 3.14159);
  EXPECT_EQ(value.at(2).get_double(), 1e23);
}

TEST(JsonText, KeepsStructureAndOrder) {
  EXPECT_EQ(again(R"([ {"b":[1,2,{}],"a":null} ,[],true,"" ])"), R"([{"b":[1,2,{}],"a":null},[],true,""])");
}

TEST(JsonText, RefusesWhatIsNotJson) {
  for (const char* text : {"", "[", "[1", "[1]]", "[1] x", "{\"a\"}", "[01]", "['a']", "[1,]", "nul", "\"\\u12\"", "[\"\x01\"]",
                           "//c\n[]", "[NaN]", "[\"\\ud800\""}) {
    EXPECT_EQ(status(text), JsonStatus::malformed) << text;
  }
}

TEST(JsonText, TellsWellFormedTextItCannotHandOn) {
  std::string name;
  EXPECT_EQ(status(R"(["chat","\ud800"])", &name), JsonStatus::lone_surrogate);
  EXPECT_EQ(name, "chat");
  EXPECT_EQ(status(R"(["a\udc00b"])", &name), JsonStatus::lone_surrogate);
  EXPECT_EQ(name,
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(status(R"(["chat","\ud800A"])"), JsonStatus::lone_surrogate);
  EXPECT_EQ(status(R"(["chat","\ud83d\ude00"])"), JsonStatus::ok);
  EXPECT_EQ(status(R"(["chat","\\ud800"])"), JsonStatus::ok);  // a backslash, then text
  EXPECT_EQ(status("[\"chat\",\"\xff\"]", &name), JsonStatus::invalid_utf8);
  EXPECT_EQ(name, "chat");
}

TEST(JsonText, TakesAHundredLevelsAndRefusesTwoHundred) {
  const auto nested = [](std::size_t levels) {
    return "[\"deep\"," + std::string(levels, '[') + std::string(levels, ']') + "]";
  };
  std::string name;
  EXPECT_EQ(status(nested(100)), JsonStatus::ok);
  EXPECT_EQ(status(nested(200), &name), JsonStatus::too_deep);
  EXPECT_EQ(name, "deep");
  EXPECT_EQ(status(nested(100'000)), JsonStatus::too_deep);
}

TEST(JsonText, BoundsTheMembersOfObjects) {
  const auto bounded = [](std::string_view text, std::string& first) {
    json::value value;
    return read_json(text, value, first, 2);
  };
  std::string name;
  EXPECT_EQ(bounded(R"(["rooms",{"a":{"x":1,"y":2},"b":[{"x":1,"y":2}]}])", name), JsonStatus::ok);
  EXPECT_EQ(bounded(R"(["rooms",{"a":1,"b":2,"c":3}])", name), JsonStatus::too_many_members);
  EXPECT_EQ(name, "rooms");
  EXPECT_EQ(bounded(R"(["rooms",{"a":1,"a":2,"a":3}])", name), JsonStatus::too_many_members);
  EXPECT_EQ(bounded(R"(["rooms","\ud800",[{"a":1,"b":2,"c":3}]])", name), JsonStatus::too_many_members);
  // The parser is used again: nothing of the text before counts.
  EXPECT_EQ(bounded(R"(["rooms",{"a":1,"b":2}])", name), JsonStatus::ok);
}

TEST(JsonText, FirstStringIsOnlyTheFirstElementOfTheTopArray) {
  std::string name;
  EXPECT_EQ(status(R"([1,"x"])", &name), JsonStatus::ok);
  EXPECT_EQ(name, "");
  EXPECT_EQ(status(R"([["x"],"y"])", &name), JsonStatus::ok);
  EXPECT_EQ(name, "");
  EXPECT_EQ(status(R"([{"k":"x"},"y"])", &name), JsonStatus::ok);
  EXPECT_EQ(name, "");
}

TEST(JsonText, ForgetsAFailedTextBeforeTheNext) {
  EXPECT_EQ(status(R"(["abc)"), JsonStatus::malformed);
  EXPECT_EQ(status(R"([12)"), JsonStatus::malformed);
  EXPECT_EQ(again(R"(["x",7])"), R"(["x",7])");
}

}  // namespace
}  // namespace payam::sio
