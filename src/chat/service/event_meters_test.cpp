#include "chat/service/event_meters.hpp"

#include <gmock/gmock.h>

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::UnorderedElementsAre;

TEST(EventMeters, ResultsAreAddedUpOverTheShards) {
  EventMeters meters(2);
  EventMeters::Meter& sends = meters.add("chat_message");
  EventMeters::Meter& typing = meters.add("typing");
  meters.add("resume");
  sends.count(0, std::nullopt);
  sends.count(1, std::nullopt);
  sends.count(1, Errc::rate_limited);
  typing.count(0, Errc::invalid);
  EXPECT_THAT(meters.counts(),
              UnorderedElementsAre(FieldsAre("chat_message", "ok", 2), FieldsAre("chat_message", "rate_limited", 1),
                                   FieldsAre("typing", "invalid", 1)));
}

TEST(EventMeters, WhoLeftIsCountedAsWhoNeverWasThere) {
  EventMeters meters(1);
  EventMeters::Meter& sends = meters.add("chat_message");
  sends.count(0, Errc::not_found);
  sends.count(0, Errc::not_member);
  EXPECT_THAT(meters.counts(), ElementsAre(FieldsAre("chat_message", "not_found", 2)));
}

}  // namespace
}  // namespace payam::chat
