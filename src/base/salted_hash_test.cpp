#include "base/salted_hash.hpp"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

namespace payam {
namespace {

// The key of the paper's test vectors: bytes 00 to 0f.
constexpr SipKey kPaperKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting(std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text.push_back(static_cast<char>(i));
  return text;
}

TEST(SaltedHash, SipHash24GivesThePapersVectors) {
  EXPECT_EQ(sip_hash(kPaperKey, counting(0), 2, 4), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(sip_hash(kPaperKey, counting(1), 2, 4), 0x74f839c593dc67fdu);
  EXPECT_EQ(sip_hash(kPaperKey, counting(8), 2, 4), 0x93f5f5799a932462u);
  EXPECT_EQ(sip_hash(kPaperKey, counting(15), 2, 4), 0xa129ca6149be45e5u) << "appendix A of the paper";
}

TEST(SaltedHash, AnotherKeyGivesAnotherHash) {
  EXPECT_NE(sip_hash(kPaperKey, "sara"), sip_hash({1, 2}, "sara"));
  EXPECT_NE(sip_hash(kPaperKey, "sara"), sip_hash(kPaperKey, "sarb"));
  EXPECT_NE(sip_hash(kPaperKey, ""), sip_hash(kPaperKey, std::string_view("\0", 1)));
}

TEST(SaltedHash, ServesATableOfStrings) {
  std::unordered_map<std::string, int, SaltedHash, std::equal_to<>> table{{"sara", 1}};
  EXPECT_TRUE(table.contains(std::string_view("sara")));
  EXPECT_FALSE(table.contains(std::string_view("sar")));
}

}  // namespace
}  // namespace payam
