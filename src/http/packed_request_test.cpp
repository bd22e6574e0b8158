#include "http/packed_request.hpp"

#include <gtest/gtest.h>

namespace payam::http {
namespace {

const PackedRequest::Fields kHeaders{{"Host", "example.org"}, {"Accept", "a"}, {"accept", "b"}, {"Empty", ""}};

TEST(PackedRequest, FindsTheFirstHeaderOfANameWithoutCase) {
  const PackedRequest request("/", "127.0.0.1", kHeaders);
  EXPECT_EQ(request.header("hOST"), "example.org");
  EXPECT_EQ(request.header("ACCEPT"), "a");
  EXPECT_EQ(request.header("empty"), "");
  EXPECT_EQ(request.header("Cookie"), std::nullopt);
  EXPECT_EQ(request.header(""), std::nullopt);
}

TEST(PackedRequest, KeepsTheTargetAsSentAndTheAddress) {
  const PackedRequest request("/socket.io/?EIO=4&name=%D8%B3", "::1", {});
  EXPECT_EQ(request.target(), "/socket.io/?EIO=4&name=%D8%B3");
  EXPECT_EQ(request.address(), "::1");
}

TEST(PackedRequest, FindsTheFirstFieldOfTheQueryWithCase) {
  for (const std::string_view coded : {"", "&x=%20"}) {
    const PackedRequest request("/?a=1&b=2&&a=3&none&=unnamed" + std::string(coded), "", kHeaders);
    EXPECT_EQ(request.query("a"), "1") << coded;
    EXPECT_EQ(request.query("b"), "2") << coded;
    EXPECT_EQ(request.query("none"), "") << coded;
    EXPECT_EQ(request.query(""), "unnamed") << coded;
    EXPECT_EQ(request.query("A"), std::nullopt) << coded;
    EXPECT_EQ(request.query("Host"), std::nullopt) << coded;
    EXPECT_EQ(request.header("a"), std::nullopt) << coded;
    EXPECT_EQ(request.header("Host"), "example.org") << coded;
  }
}

TEST(PackedRequest, DecodesTheQuery) {
  const PackedRequest request("/?who=a+b&%D8%B3=%00%26&", "", {});
  EXPECT_EQ(request.query("who"), "a b");
  EXPECT_EQ(request.query("س"), std::string_view("\0&", 2));
}

TEST(PackedRequest, IsEmptyWithoutARequest) {
  const PackedRequest request;
  EXPECT_EQ(request.target(), "");
  EXPECT_EQ(request.address(), "");
  EXPECT_EQ(request.header("a"), std::nullopt);
  EXPECT_EQ(request.query("a"), std::nullopt);
}

}  // namespace
}  // namespace payam::http
