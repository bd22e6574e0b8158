#include "payam/sio/json.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace payam::sio {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Point {
  int x = 0;
  std::optional<double> y;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

struct Drawing {
  std::string name;
  std::vector<Point> points;
  std::map<std::string, bool> flags;
  Colour colour = Colour::red;
  Binary bytes;
};
BOOST_DESCRIBE_STRUCT(Drawing, (), (name, points, flags, colour, bytes))

Arguments arguments(std::string_view text) { return {json::parse(text).as_array(), {}}; }

template <class T>
std::string error_of(std::string_view text) {
  const auto read = read_argument<T>(arguments(text), 0);
  return read ? "" : read.error();
}

TEST(Json, WritesAndReadsDescribedStructs) {
  const Drawing drawing{"خانه", {{1, 2.5}, {3, std::nullopt}}, {{"filled", true}}, Colour::green, {"\x01\x02"}};
  const Arguments written = make_arguments("draw", drawing);
  EXPECT_EQ(json::serialize(written.values),
            R"(["draw",{"name":"خانه","points":[{"x":1,"y":2.5E0},{"x":3}],"flags":{"filled":true},"colour":"green",)"
            R"("bytes":{"_placeholder":true,"num":0}}])");
  const auto read = read_argument<Drawing>(written, 1);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->name, "خانه");
  EXPECT_EQ(read->points.size(), 2u);
  EXPECT_EQ(read->points[0].y, 2.5);
  EXPECT_EQ(read->points[1].y, std::nullopt);
  EXPECT_TRUE(read->flags.at("filled"));
  EXPECT_EQ(read->colour, Colour::green);
  EXPECT_EQ(read->bytes.bytes, "\x01\x02");
}

TEST(Json, SaysWhereAndWhatDoesNotFit) {
  EXPECT_EQ(error_of<Point>(R"([{"y":1}])"), "0: field `x` is missing");
  EXPECT_EQ(error_of<Point>(R"([{"x":"1"}])"), "0.x: expected a whole number in range");
  EXPECT_EQ(error_of<std::vector<Point>>(R"([[{"x":1},{"x":2,"y":true}]])"), "0.1.y: expected a number");
  EXPECT_EQ(error_of<Point>("[]"), "0: expected an object");
  EXPECT_EQ(error_of<std::string>("[1]"), "0: expected a string");
  EXPECT_EQ(error_of<bool>("[0]"), "0: expected true or false");
  EXPECT_EQ(error_of<Colour>(R"(["blue"])"), "0: expected one of the known names");
  EXPECT_EQ(error_of<Binary>(R"([{"_placeholder":true,"num":0}])"), "0: expected binary data");
  EXPECT_EQ((error_of<std::map<std::string, int>>(R"([{"a":1,"b":null}])")), "0.b: expected a whole number in range");
}

TEST(Json, IntegersAreCheckedForRangeAndMayBeWrittenAsDoubles) {
  EXPECT_EQ(read_argument<std::uint8_t>(arguments("[255]"), 0), 255);
  EXPECT_FALSE(read_argument<std::uint8_t>(arguments("[256]"), 0));
  EXPECT_FALSE(read_argument<unsigned>(arguments("[-1]"), 0));
  EXPECT_EQ(read_argument<int>(arguments("[3.0]"), 0), 3);
  EXPECT_FALSE(read_argument<int>(arguments("[3.5]"), 0));
  EXPECT_FALSE(read_argument<std::int64_t>(arguments("[1e300]"), 0));
  EXPECT_EQ(read_argument<std::uint64_t>(arguments("[18446744073709551615]"), 0), 18446744073709551615u);
}

TEST(Json, MissingAndNullAreEmptyOptionals) {
  for (const char* text : {"[]", "[null]"}) {
    const auto read = read_argument<std::optional<int>>(arguments(text), 0);
    ASSERT_TRUE(read) << text;
    EXPECT_FALSE(read->has_value()) << text;
  }
  const auto present = read_argument<std::optional<int>>(arguments("[1]"), 0);
  ASSERT_TRUE(present);
  EXPECT_EQ(present->value_or(0), 1);
  EXPECT_FALSE(read_argument<int>(arguments("[]"), 0));
}

TEST(Json, AnArgumentsStandsForAllOfThem) {
  const Arguments all = make_arguments(1, Binary{"x"});
  const Arguments same = make_arguments(all);
  EXPECT_EQ(same.values, all.values);
  EXPECT_EQ(same.attachments, all.attachments);
  EXPECT_EQ(make_arguments(json::array{1, 2}).values.size(), 1u);  // one argument that is an array
}

TEST(Json, AnArgumentThatIsTakenIsMovedOutWhenItIsAValue) {
  Arguments taken = arguments(R"([{"text":"a string too long to be kept in place"},[1,2],"x"])");
  const void* const object = &taken.values[0].get_object().at("text");
  const auto value = take_argument<json::value>(taken, 0);
  ASSERT_TRUE(value);
  EXPECT_EQ(&value->get_object().at("text"), object);
  EXPECT_EQ(*take_argument<std::vector<int>>(taken, 1), (std::vector<int>{1, 2}));
  EXPECT_EQ(*take_argument<std::string>(taken, 2), "x");
  EXPECT_FALSE(take_argument<int>(taken, 2));
  EXPECT_TRUE(take_argument<json::value>(taken, 3)->is_null());
}

}  // namespace
}  // namespace payam::sio
