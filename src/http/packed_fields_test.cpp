#include "http/packed_fields.hpp"

#include <gtest/gtest.h>

namespace payam::http {
namespace {

using Names = PackedFields::Names;
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

TEST(PackedFields, FindsTheFirstOfAName) {
  const PackedFields fields({{"a", "1"}, {"b", "2"}, {"a", "3"}}, Names::exact);
  EXPECT_EQ(fields.find("a"), "1");
  EXPECT_EQ(fields.find("b"), "2");
  EXPECT_EQ(fields.find("c"), std::nullopt);
}

TEST(PackedFields, ComparesNamesAsItIsTold) {
  const PackedFields headers({{"Host", "example.org"}}, Names::any_case);
  EXPECT_EQ(headers.find("hOST"), "example.org");
  const PackedFields query({{"Host", "example.org"}}, Names::exact);
  EXPECT_EQ(query.find("hOST"), std::nullopt);
  EXPECT_EQ(query.find("Host"), "example.org");
}

TEST(PackedFields, KeepsEmptyOnesAndAnyByte) {
  const std::string nul("x\0y", 3);
  const PackedFields fields({{"", "no name"}, {"empty", ""}, {"nul", nul}}, Names::exact);
  EXPECT_EQ(fields.find(""), "no name");
  EXPECT_EQ(fields.find("empty"), "");
  EXPECT_EQ(fields.find("nul"), nul);
  EXPECT_EQ(fields.all(), (Fields{{"", "no name"}, {"empty", ""}, {"nul", nul}}));
}

TEST(PackedFields, IsEmptyWithoutFields) {
  EXPECT_EQ(PackedFields().find("a"), std::nullopt);
  EXPECT_TRUE(PackedFields({}, Names::any_case).all().empty());
}

}  // namespace
}  // namespace payam::http
