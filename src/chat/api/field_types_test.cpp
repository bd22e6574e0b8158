#include "chat/api/field_types.hpp"

#include <gtest/gtest.h>

namespace payam::chat::api {
namespace {

TEST(Presentable, NamesOfEveryScriptAre) {
  for (const char* name : {"Sara", "سارا", "می‌خواهم", "Zoë", "山田 太郎", "ש״ס", "नमस्ते", "क्‍ष",
                           "👩‍🚀 crew", "a\u200Fb", "O’Brien"}) {
    EXPECT_EQ(Presentable::refuse(name), std::nullopt) << name;
  }
}

TEST(Presentable, WhatDisturbsTheTextAroundIsNot) {
  const char* refused[] = {"a\nb",     "a\tb",     "a\u0085b", "a\u2028b", "a\u2029b", "\x7f",
                           "a\u202Eb",  // right-to-left override: "gpj.exe"
                           "a\u202Db", "a\u202Ab", "a\u202Bb", "a\u202Cb", "a\u2066b", "a\u2067b", "a\u2068b", "a\u2069b"};
  for (const char* name : refused) EXPECT_NE(Presentable::refuse(name), std::nullopt) << name;
}

TEST(Presentable, WhatCannotBeSeenIsNot) {
  for (const char* name :
       {" ", " a", "a ", "\u00A0a", "a\u3000", "\u200B", "\u200C\u200D", "\u2060", "\uFEFF", "\u00AD", "\u3164"}) {
    EXPECT_NE(Presentable::refuse(name), std::nullopt) << name;
  }
}

TEST(Presentable, ATopicMayBeEmpty) {
  EXPECT_EQ(PresentableOrEmpty::refuse(""), std::nullopt);
  EXPECT_NE(PresentableOrEmpty::refuse("\u202E"), std::nullopt);
}

}  // namespace
}  // namespace payam::chat::api
