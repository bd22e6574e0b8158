// Uploads: sent as attachments or as links in the text, and who may then fetch them.
#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Upload picture(const std::string& id, UserId uploader) {
  return {UploadId(id),
          std::move(uploader),
          "گربه.png",
          "image/png",
          12'345'678'901,
          640,
          480,
          Timestamp(Millis(1'700'000'000'000))};
}

TEST_P(StoreContract, ShowsAnUploadToItsUploaderUntilItIsSent) {
  for (const char* name : {"ali", "sara", "eve"}) add_user(name);
  create_room("r", "ali", {"sara"});
  Upload upload = picture("u1", user_id("ali"));
  Upload text = picture("u2", user_id("ali"));
  text.width = text.height = std::nullopt;
  wait(store().create_upload(upload));
  wait(store().create_upload(text));
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("ali"))), upload);
  EXPECT_EQ(wait(store().find_upload(UploadId("u2"), user_id("ali"))), text);
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("sara"))), std::nullopt);
  EXPECT_EQ(wait(store().find_upload(UploadId("none"), user_id("ali"))), std::nullopt);

  SendMessage change = message("r", "ali", "");
  change.attachments = {UploadId("u1")};
  ASSERT_TRUE(commit(change));
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("sara"))), upload);
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("eve"))), std::nullopt);
  EXPECT_EQ(wait(store().find_upload(UploadId("u2"), user_id("sara"))), std::nullopt);
}

TEST_P(StoreContract, GivesAttachmentsBackInTheirOrder) {
  add_user("ali");
  create_room("r", "ali");
  for (const char* id : {"u1", "u2", "u3"}) wait(store().create_upload(picture(id, user_id("ali"))));
  send("r", "ali", "before");
  SendMessage change = message("r", "ali", "three");
  change.attachments = {UploadId("u3"), UploadId("u1"), UploadId("u3"), UploadId("u2")};
  const Message sent = message_of(commit(change).value());
  const auto upload = [&](const char* id) { return picture(id, user_id("ali")); };
  EXPECT_THAT(sent.attachments, ElementsAre(upload("u3"), upload("u1"), upload("u2")));
  SendMessage again = message("r", "ali", "the same once more");
  again.attachments = {UploadId("u1")};
  const Message second = message_of(commit(again).value());
  restart_if_kept();
  const auto messages = wait(store().history(RoomId("r"), user_id("ali"), {}))->messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1], sent);
  EXPECT_EQ(messages[2], second);
}

TEST_P(StoreContract, RefusesAttachmentsThatAreNotTheSendersOwn) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  wait(store().create_upload(picture("u1", user_id("ali"))));
  SendMessage change = message("r", "sara", "look");
  change.attachments = {UploadId("u1")};
  EXPECT_EQ(commit(change), (Result<Commit>(fail(Errc::bad_request, "Unknown upload: u1"))));
  change.attachments = {UploadId("none")};
  EXPECT_EQ(commit(change), (Result<Commit>(fail(Errc::bad_request, "Unknown upload: none"))));
  EXPECT_THAT(wait(store().history(RoomId("r"), user_id("ali"), {}))->messages, IsEmpty());
}

TEST_P(StoreContract, ALinkInTheTextOfItsUploaderLetsTheRoomFetchIt) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  wait(store().create_upload(picture("u1", user_id("ali"))));
  const Commit linked = send("r", "ali", "look: https://chat.example/media/u1/%DA%AF.png and /media/u9/x.png");
  EXPECT_THAT(message_of(linked).attachments, IsEmpty());
  EXPECT_TRUE(wait(store().find_upload(UploadId("u1"), user_id("sara"))));
}

TEST_P(StoreContract, ALinkToAnothersUploadGivesNothingAway) {
  for (const char* name : {"ali", "sara", "bob"}) add_user(name);
  create_room("r", "sara", {"bob"});
  wait(store().create_upload(picture("u1", user_id("ali"))));
  send("r", "sara", "guessed /media/u1/x.png");
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("sara"))), std::nullopt);
  EXPECT_EQ(wait(store().find_upload(UploadId("u1"), user_id("bob"))), std::nullopt);
}

TEST_P(StoreContract, WhoLeavesTheRoomLosesItsUploads) {
  add_user("ali");
  add_user("sara");
  create_room("r", "ali", {"sara"});
  wait(store().create_upload(picture("u1", user_id("ali"))));
  SendMessage change = message("r", "ali", "/media/u1/a.png");
  change.attachments = {UploadId("u1")};
  ASSERT_TRUE(commit(change));
  EXPECT_TRUE(wait(store().find_upload(UploadId("u1"), user_id("sara"))));
  ASSERT_TRUE(commit(RemoveMember{RoomId("r"), user_id("sara"), "sara@example.com", at(50)}));
  EXPECT_FALSE(wait(store().find_upload(UploadId("u1"), user_id("sara"))));
  EXPECT_TRUE(wait(store().find_upload(UploadId("u1"), user_id("ali"))));
}

TEST_P(StoreContract, KnowsWhichUploadsNoMessageRefersTo) {
  add_user("ali");
  create_room("r", "ali");
  const auto upload = [&](const char* id, int seconds) {
    Upload one = picture(id, user_id("ali"));
    one.size = 1000;
    one.created_at = at(seconds * 1000);
    wait(store().create_upload(one));
  };
  upload("late", 30);
  upload("sent", 1);
  upload("linked", 2);
  upload("early", 3);
  upload("next", 4);
  SendMessage change = message("r", "ali", "/media/linked/x.png");
  change.attachments = {UploadId("sent")};
  const MessageId id = message_of(commit(change).value()).id;
  SendMessage again = message("r", "ali", "the same");
  again.attachments = {UploadId("sent")};
  ASSERT_TRUE(commit(again));
  const auto unused = [&](int before, int limit = 10) { return wait(store().unused_uploads(at(before * 1000), limit)); };
  EXPECT_THAT(unused(30), ElementsAre(UploadId("early"), UploadId("next")));
  EXPECT_THAT(unused(31, 1), ElementsAre(UploadId("early")));
  EXPECT_THAT(unused(3), IsEmpty());
  EXPECT_EQ(wait(store().uploaded_bytes(user_id("ali"))), 5000u);
  EXPECT_EQ(wait(store().uploaded_bytes(user_id("nobody"))), 0u);

  EXPECT_TRUE(wait(store().delete_unused_upload(UploadId("early"))));
  EXPECT_FALSE(wait(store().delete_unused_upload(UploadId("early"))));
  EXPECT_FALSE(wait(store().delete_unused_upload(UploadId("linked"))));
  EXPECT_EQ(wait(store().uploaded_bytes(user_id("ali"))), 4000u);
  ASSERT_TRUE(commit(DeleteMessage{{id, {}}, user_id("ali"), at(1)}));
  EXPECT_THAT(unused(30), ElementsAre(UploadId("linked"), UploadId("next"))) << "the other message still shows the other";
  EXPECT_TRUE(wait(store().delete_unused_upload(UploadId("linked"))));
}

TEST_P(StoreContract, KnowsWhichUploadsThereAre) {
  add_user("ali");
  for (const char* id : {"u1", "u2"}) wait(store().create_upload(picture(id, user_id("ali"))));
  EXPECT_THAT(wait(store().uploads_among({UploadId("u2"), UploadId("none"), UploadId("u1")})),
              UnorderedElementsAre(UploadId("u1"), UploadId("u2")));
  EXPECT_THAT(wait(store().uploads_among({})), IsEmpty());
}

TEST_P(StoreContract, AnErasedAccountsUploadsAreUnusedAtOnceUnlessAMessageShowsThem) {
  for (const char* name : {"ali", "sara"}) add_user(name);
  create_room("r", "ali", {"sara"});
  const auto upload = [&](const char* id, const char* name) {
    Upload one = picture(id, user_id(name));
    one.created_at = at(5'000);
    wait(store().create_upload(one));
  };
  upload("shown", "ali");
  upload("forgotten", "ali");
  upload("saras", "sara");
  SendMessage change = message("r", "ali", "look");
  change.attachments = {UploadId("shown")};
  ASSERT_TRUE(commit(change));
  EXPECT_THAT(wait(store().unused_uploads(at(5'000), 10)), IsEmpty());
  ASSERT_TRUE(wait(store().erase_user(user_id("ali"), at(6'000))));
  upload("late", "ali");  // was on its way
  EXPECT_THAT(wait(store().unused_uploads(at(5'000), 10)), UnorderedElementsAre(UploadId("forgotten"), UploadId("late")));
  EXPECT_TRUE(wait(store().find_upload(UploadId("shown"), user_id("sara"))));
}

}  // namespace
}  // namespace payam::chat
