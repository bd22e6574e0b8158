#include "chat/app/signing_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace payam::chat {
namespace {

using testing::HasSubstr;

class SigningKeysTest : public testing::Test {
 protected:
  SigningKeysTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payam-keys-XXXXXX").string();
    options_.data_dir = mkdtemp(pattern.data());
  }
  ~SigningKeysTest() override { std::filesystem::remove_all(options_.data_dir); }

  Options options_;
  const Timestamp now_ = wall_now();
};

TEST_F(SigningKeysTest, AfterARotationTokensOfBeforeStillVerify) {
  const auto before = read_signing_keys(options_, nullptr, now_);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_TRUE(before->retired.empty());
  const std::string token = Tokens(before->key, options_.access_token_lifetime).issue("sara@example.org", SessionId("S"), now_);
  const auto id = rotate_signing_key(options_, nullptr, now_);
  ASSERT_TRUE(id) << id.error().message;
  const auto after = read_signing_keys(options_, nullptr, now_);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->key.id(), *id);
  EXPECT_NE(after->key.id(), before->key.id());
  const Tokens tokens(after->key, options_.access_token_lifetime, after->retired);
  EXPECT_TRUE(tokens.verify(token, now_));
  EXPECT_THAT(tokens.jwks(now_), HasSubstr(before->key.id()));
}

TEST_F(SigningKeysTest, OnlyOwnKeysAreRotated) {
  options_.jwt_key_file = "/srv/own.pem";
  EXPECT_THAT(rotate_signing_key(options_, nullptr, now_).error().message, HasSubstr("JWT_KEY_FILE is a key of your own"));
  options_.algorithm = TokenAlgorithm::hs256;
  EXPECT_THAT(rotate_signing_key(options_, nullptr, now_).error().message, HasSubstr("SECRET_KEY"));
}

TEST_F(SigningKeysTest, AnInviteIsSignedWithTheServersKey) {
  const auto invite = make_signup_invite(options_, nullptr, now_);
  ASSERT_TRUE(invite) << invite.error().message;
  const Tokens tokens(read_signing_keys(options_, nullptr, now_)->key, options_.access_token_lifetime);
  EXPECT_EQ(tokens.verify(*invite, now_ + std::chrono::days(6))->audience, Audience::signup);
  EXPECT_FALSE(tokens.verify(*invite, now_ + std::chrono::days(7)));
}

}  // namespace
}  // namespace payam::chat
