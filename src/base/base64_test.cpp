#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace payam {
namespace {

using namespace std::string_literals;

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesWithAndWithoutPadding) {
  EXPECT_EQ(base64_decode("Zm9vYg=="), "foob");
  EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
  EXPECT_EQ(base64_decode("AQIDBA=="), "\x01\x02\x03\x04"s);
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const char* text : {"A", "Zm9=v", "====", "Zm9vYg=", "Zm 9", "Zm9-", "Zh"}) EXPECT_FALSE(base64_decode(text)) << text;
}

TEST(Base64, UrlFormHasNoPaddingAndItsOwnAlphabet) {
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"s), "-__-");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  EXPECT_EQ(base64url_decode("-__-"), "\xfb\xff\xfe"s);
  EXPECT_FALSE(base64url_decode("Zg=="));
  EXPECT_FALSE(base64url_decode("Zh"));  // bits left over: a second text for the same value
}

}  // namespace
}  // namespace payam
