#include "base/object_bounds.hpp"

#include <gmock/gmock.h>

#include <string>

namespace payam {
namespace {

constexpr auto kNowhere = std::string_view::npos;

std::string object_of(std::size_t members) {
  std::string out = "{";
  for (std::size_t i = 0; i < members; ++i) out += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  return out + "}";
}

std::string list_of(std::size_t count, const std::string& element) {
  std::string out = "[" + element;
  for (std::size_t i = 1; i < count; ++i) out += "," + element;
  return out + "]";
}

TEST(ObjectBounds, CountsTheMembersOfEachObjectByItself) {
  EXPECT_EQ(find_member_too_many(R"({"a":{"b":1,"c":2},"d":3})", 10, 2), kNowhere);
  EXPECT_EQ(find_member_too_many(R"({"a":1,"b":2,"c":3})", 10, 2), 17u);  // behind the third colon
  EXPECT_EQ(find_member_too_many(R"([{"a":1},{"a":1},{"a":1}])", 10, 2), kNowhere);
  EXPECT_EQ(find_member_too_many(R"({"a":{"x":1,"y":2,"z":3}})", 10, 2), 22u);
}

TEST(ObjectBounds, CountsAKeyThatIsRepeated) { EXPECT_EQ(find_member_too_many(R"({"a":1,"a":2,"a":3})", 10, 2), 17u); }

TEST(ObjectBounds, DoesNotLookIntoStrings) {
  EXPECT_EQ(find_member_too_many(R"({"a:b:c:d":"{:::\":::","e":"\\"})", 10, 2), kNowhere);
}

TEST(ObjectBounds, ATextThatIsNoJsonDoesNoHarm) {
  for (const auto* text : {"", ":", "}", "]", "{", "\"", "\"\\", "}:", "[}:", "{]:", "{\"a\":{]}}}:"}) {
    EXPECT_EQ(find_member_too_many(text, 10, 2), kNowhere) << text;
  }
}

TEST(ObjectBounds, EndsWhereItsReaderFindsTheTextTooDeep) {
  EXPECT_EQ(find_member_too_many(R"([[{"a":1,"b":2}]])", 3, 1), 13u);
  EXPECT_EQ(find_member_too_many(R"([[{"a":1,"b":2}]])", 2, 1), kNowhere);
}

TEST(ObjectBounds, HoldsForAllObjectsTogether) {
  EXPECT_EQ(find_member_too_many(object_of(1'024), 10), kNowhere);
  EXPECT_NE(find_member_too_many(object_of(1'025), 10), kNowhere);
  // 1,024 members cost 523,776 comparisons: fifteen times within eight million, sixteen times over it.
  EXPECT_EQ(find_member_too_many(list_of(15, object_of(1'024)), 10), kNowhere);
  EXPECT_NE(find_member_too_many(list_of(16, object_of(1'024)), 10), kNowhere);
  EXPECT_EQ(find_member_too_many(list_of(20'000, object_of(20)), 10), kNowhere);
}

TEST(ObjectBounds, WhatTheProgramWritesIsNotBounded) {
  EXPECT_EQ(find_member_too_many(list_of(100, object_of(2'000)), 10, ObjectBounds::kUnbounded), kNowhere);
}

}  // namespace
}  // namespace payam
