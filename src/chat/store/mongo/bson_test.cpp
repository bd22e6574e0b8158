#include "chat/store/mongo/bson.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chat/model.hpp"

namespace payam::chat::mongo {
namespace {

using testing::ElementsAre;

const Timestamp kTime{Millis(1'700'000'000'123)};

TEST(Bson, WhatIsAddedIsRead) {
  const std::array bytes{std::byte{0}, std::byte{255}};
  const Document document = doc("text", "سلام", "id", UserId("u1"), "seq", Seq{7}, "on", true, "half", 0.5, "at", kTime, "role",
                                Role::owner, "bytes", Bytes(bytes), "sub", doc("x", 1), "list", list(std::vector{"a", "b"}));
  const View view = document;
  EXPECT_EQ(view.get<std::string>("text"), "سلام");
  EXPECT_EQ(view.get<UserId>("id"), UserId("u1"));
  EXPECT_EQ(view.get<Seq>("seq"), Seq{7});
  EXPECT_TRUE(view.get<bool>("on"));
  EXPECT_EQ(view.get<double>("half"), 0.5);
  EXPECT_EQ(view.get<Timestamp>("at"), kTime);
  EXPECT_EQ(view.get<Role>("role"), Role::owner);
  EXPECT_THAT(view.get<Bytes>("bytes"), ElementsAre(std::byte{0}, std::byte{255}));
  EXPECT_EQ(view.get<View>("sub").get<int>("x"), 1);
  EXPECT_THAT(view.get<std::vector<std::string>>("list"), ElementsAre("a", "b"));
}

TEST(Bson, AnAbsentOptionalIsNoFieldAtAll) {
  const Document document = doc("a", std::optional<int>(), "b", std::optional<int>(2));
  EXPECT_EQ(document.view().kind("a"), Kind::absent);
  EXPECT_EQ(document.view().get<std::optional<int>>("a"), std::nullopt);
  EXPECT_EQ(document.view().get<std::optional<int>>("b"), 2);
  EXPECT_THAT(document.view().get<std::vector<int>>("a"), ElementsAre());
}

TEST(Bson, AFieldOfAnotherKindIsAFault) {
  const Document document = doc("text", "1", "half", 0.5, "number", 1, "two", 2.0);
  const View view = document;
  EXPECT_THROW(view.get<int>("text"), BsonError);
  EXPECT_THROW(view.get<std::string>("number"), BsonError);
  EXPECT_THROW(view.get<std::optional<int>>("half"), BsonError);
  EXPECT_THROW(view.get<int>("missing"), BsonError);
  EXPECT_EQ(view.get<int>("two"), 2) << "other programs keep whole numbers as doubles";
  EXPECT_THROW(Document(View(view.data(), 5)), BsonError);
}

TEST(Bson, ACopyIsItsOwner) {
  Document copy;
  {
    const Document original = doc("a", "text", "b", doc("c", 3));
    copy = Document(original.view().get<View>("b"));
  }
  EXPECT_EQ(copy.view().get<int>("c"), 3);
  copy.add_all(doc("d", 4));
  EXPECT_EQ(copy.view().get<int>("d"), 4);
  std::vector<std::string> keys;
  copy.view().each([&](const Field& field) { keys.emplace_back(field.key()); });
  EXPECT_THAT(keys, ElementsAre("c", "d"));
}

}  // namespace
}  // namespace payam::chat::mongo
