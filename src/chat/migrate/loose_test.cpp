#include "chat/migrate/loose.hpp"

#include <gtest/gtest.h>

namespace payam::chat::migrate {
namespace {

using mongo::doc;

std::string shown(std::string_view text) {
  const auto time = parse_loose_time(text);
  return time ? to_iso8601(*time) : "none";
}

TEST(Loose, TimesAreReadAsPythonWritesThem) {
  EXPECT_EQ(shown("2024-05-06T07:08:09.123456"), "2024-05-06T07:08:09.123Z");
  EXPECT_EQ(shown("2024-05-06 07:08:09"), "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(shown("2024-05-06T07:08:09.5+00:00"), "2024-05-06T07:08:09.500Z");
  EXPECT_EQ(shown("2024-05-06T07:08:09Z"), "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(shown("2024-05-06T07:08:09+0330"), "2024-05-06T03:38:09.000Z");
  EXPECT_EQ(shown("2024-05-06T22:08:09-05:00"), "2024-05-07T03:08:09.000Z");
  EXPECT_EQ(shown("2024-05-06T07:08"), "2024-05-06T07:08:00.000Z");
  EXPECT_EQ(shown("2024-05-06"), "2024-05-06T00:00:00.000Z");
}

TEST(Loose, WhatIsNoTimeIsNone) {
  for (const char* text : {"", "yesterday", "2024-13-01", "2024-02-30", "2024-05-06T25:00:00", "2024-05-06T07",
                           "2024-05-06T07:08:09 PM", "2024-05-06T07:08:09+5", "2024-05-06X07:08:09"}) {
    EXPECT_EQ(shown(text), "none") << text;
  }
}

TEST(Loose, NumbersAreSecondsOrMilliseconds) {
  const auto shown_field = [](const mongo::Document& document) { return to_iso8601(time_of(document, {"t"}).value()); };
  EXPECT_EQ(shown_field(doc("t", 1714979289)), "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(shown_field(doc("t", 1714979289.25)), "2024-05-06T07:08:09.250Z");
  EXPECT_EQ(shown_field(doc("t", std::int64_t{1714979289123})), "2024-05-06T07:08:09.123Z");
  EXPECT_EQ(shown_field(doc("t", Timestamp(Millis(1714979289123)))), "2024-05-06T07:08:09.123Z");
  EXPECT_FALSE(time_of(doc("t", true), {"t"}));
  EXPECT_FALSE(time_of(doc("t", -1.0), {"t"}));
}

TEST(Loose, IdsMayBeObjectIdsTextsOrNumbers) {
  const mongo::ObjectId id{{0x66, 0x38, 0x81, 0xd9, 1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_EQ(text_of(doc("_id", id), {"_id"}), "663881d90102030405060708");
  EXPECT_EQ(to_iso8601(made_at(doc("_id", id)).value()), "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(text_of(doc("_id", "abc"), {"_id"}), "abc");
  EXPECT_EQ(text_of(doc("_id", 7), {"_id"}), "7");
  EXPECT_EQ(text_of(doc("id", "second"), {"_id", "id"}), "second");
  EXPECT_EQ(text_of(doc("_id", ""), {"_id"}), std::nullopt);
  EXPECT_EQ(text_of(doc("_id", true), {"_id"}), std::nullopt);
  EXPECT_EQ(made_at(doc("_id", "abc")), std::nullopt);
}

TEST(Loose, AddressesAreLowerCase) {
  EXPECT_EQ(email_of(" Sara@Example.ORG "), "sara@example.org");
  EXPECT_EQ(email_of("sara"), std::nullopt);
  EXPECT_EQ(email_of("@example.org"), std::nullopt);
  EXPECT_EQ(email_of("sara@"), std::nullopt);
  EXPECT_EQ(email_of("sara @example.org"), std::nullopt);
}

TEST(Loose, DerivedIdsAreTheSameEveryTimeAndSort) {
  const Timestamp at(Millis(1714979289123));
  const std::string id = derived_id(at, "message", "x", 7);
  EXPECT_EQ(id.size(), 26u);
  EXPECT_EQ(id, derived_id(at, "message", "x", 7));
  EXPECT_NE(id, derived_id(at, "room", "x", 7));
  EXPECT_NE(id, derived_id(at, "message", "y", 7));
  EXPECT_LT(id, derived_id(at, "message", "x", 8));
  EXPECT_LT(id, derived_id(at + Millis(1), "message", "x", 0));
}

}  // namespace
}  // namespace payam::chat::migrate
