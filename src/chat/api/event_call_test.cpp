#include "chat/api/event_call.hpp"

#include <gmock/gmock.h>

#include <set>

#include "chat/api/realtime_events.hpp"
#include "chat/api/testing/socket_fixture.hpp"
#include "socketio/server/namespace_impl.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::FieldsAre;
using ::testing::UnorderedElementsAre;

class EventCallTest : public SocketFixture {
 protected:
  json::value document() { return json::parse(realtime_.document("1.0")); }

  static std::set<std::string> names(const json::value& document, std::string_view action) {
    std::set<std::string> found;
    for (const auto& [key, operation] : document.at("operations").as_object()) {
      if (text_of(operation.at("action")) == action) found.insert(text_of(operation.at("title")));
    }
    return found;
  }

  const std::string sara = arrive("sara");
};

TEST_F(EventCallTest, EveryEventThatIsHandledIsDescribed) {
  std::set<std::string> handled;
  for (const auto& [event, handlers] : io_.impl().main()->handlers()->events) handled.insert(event);
  EXPECT_GE(handled.size(), 11u);
  EXPECT_EQ(names(document(), "receive"), handled);
}

TEST_F(EventCallTest, EveryEventThatCanBeEmittedIsDescribed) {
  std::set<std::string> emitted;
  boost::mp11::mp_for_each<ServerEvents>([&]<class Event>(Event) { emitted.emplace(Event::kName); });
  EXPECT_EQ(names(document(), "send"), emitted);
}

TEST_F(EventCallTest, AnEventIsDescribedByTheStructsThatReadAndAcknowledgeIt) {
  const json::value all = document();
  const json::value& message = all.at_pointer("/components/messages/client.chat_message");
  EXPECT_EQ(message.at("payload"), (json::value{{"$ref", "#/components/schemas/ChatMessageRequest"}}));
  EXPECT_EQ(all.at_pointer("/components/schemas/ChatMessageRequest/required"), (json::value{"room", "message"}));
  EXPECT_EQ(all.at_pointer("/components/schemas/ChatMessageRequest/properties/message/maxLength"), 20'000);
  EXPECT_EQ(all.at_pointer("/components/messages/client.chat_message.ack/payload/allOf/1"),
            (json::value{{"$ref", "#/components/schemas/MessageReply"}}));
  EXPECT_FALSE(all.at_pointer("/components/messages/server.token_expired").as_object().contains("payload"));
}

TEST_F(EventCallTest, HowEachEventEndedIsCountedOverTheShards) {
  const std::string room = create_room(sara);
  Client& here = join(sara, 0);
  Client& there = join(sara, 1);
  for (Client* client : {&here, &there}) {
    client->ask("chat_message", {{"room", room}, {"message", "hello"}});
    client->ask("chat_message", {{"room", room}});
  }
  here.ask("chat_message", {{"room", "nowhere"}, {"message", "hello"}});
  there.ask("get_online_users", json::object{});
  EXPECT_THAT(event_meters_.counts(),
              UnorderedElementsAre(FieldsAre("chat_message", "ok", 2), FieldsAre("chat_message", "invalid", 2),
                                   FieldsAre("chat_message", "not_found", 1), FieldsAre("get_online_users", "ok", 1)));
  EXPECT_THAT(messages_.sends().by_name(), UnorderedElementsAre(::testing::Pair("ok", 2), ::testing::Pair("not_found", 1)));
}

struct Anything {};
BOOST_DESCRIBE_STRUCT(Anything, (), ())

Task<Result<Done>> fail_to_serve(EventCall, Anything) {
  throw std::runtime_error("the disk is gone");
  co_return Done{};
}

TEST_F(EventCallTest, AFaultIsAnsweredWithoutTheInsideAndTheConnectionLives) {
  EventApi more(io_, limits_, event_meters_);
  more.on<Anything>({.name = "break", .summary = "Breaks"}, fail_to_serve);
  Client& client = join(sara);
  EXPECT_EQ(client.ask("break", json::object{}),
            (json::value{{"status", "error"}, {"code", "internal"}, {"message", "Internal Server Error"}}));
  client.emit("break", json::object{});
  EXPECT_EQ(client.event("error"), (json::value{{"message", "Internal Server Error"}, {"code", "internal"}}));
  EXPECT_THAT(event_meters_.counts(), UnorderedElementsAre(FieldsAre("break", "internal", 2)));
}

}  // namespace
}  // namespace payam::chat::api
