#include "chat/auth/password.hpp"

#include <crypt.h>
#include <gtest/gtest.h>

#include <memory>

#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr int kCheap = 4;

TEST(Password, VerifiesWhatItHashed) {
  const std::string hash = hash_password("گذرواژه ۱۲۳", kCheap);
  EXPECT_TRUE(hash.starts_with("$2b$04$")) << hash;
  EXPECT_TRUE(verify_password("گذرواژه ۱۲۳", hash));
  EXPECT_FALSE(verify_password("گذرواژه ۱۲۴", hash));
  EXPECT_FALSE(verify_password("", hash));
  EXPECT_NE(hash, hash_password("گذرواژه ۱۲۳", kCheap)) << "every hash has its own salt";
}

// From the documentation of passlib and FastAPI, and from the test vectors of crypt_blowfish.
TEST(Password, VerifiesHashesMadeElsewhere) {
  EXPECT_TRUE(verify_password("secret", "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"));
  EXPECT_TRUE(verify_password("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_TRUE(verify_password("\xff\xff\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"));
}

TEST(Password, RefusesHashesItDoesNotKnow) {
  for (const char* hash : {"", "*0", "secret", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "$2b$12$short",
                           "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                           "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}) {
    EXPECT_FALSE(verify_password("secret", hash)) << hash;
    EXPECT_FALSE(verify_password("", hash)) << hash;
  }
}

TEST(Password, IsNeverCutAt72Bytes) {
  const std::string longest(72, 'a');
  const std::string hash = hash_password(longest, kCheap);
  EXPECT_TRUE(verify_password(longest, hash));
  EXPECT_FALSE(verify_password(longest + "b", hash));
  EXPECT_THROW(hash_password(longest + "b", kCheap), std::invalid_argument);
}

TEST(Password, IsNeverCutAtNul) {
  const std::string hash = hash_password("password", kCheap);
  EXPECT_FALSE(verify_password(std::string("password\0tail", 13), hash));
  EXPECT_THROW(hash_password(std::string("password\0tail", 13), kCheap), std::invalid_argument);
}

TEST(Password, TheDecoyCostsAsMuchAsAHash) {
  for (const int cost : {4, 10}) {
    // libxcrypt takes it for a hash like any other, so it does the whole work.
    const auto data = std::make_unique<crypt_data>();
    const char* computed = crypt_r("secret", decoy_hash(cost).c_str(), data.get());
    ASSERT_NE(computed, nullptr);
    EXPECT_EQ(std::string_view(computed).substr(0, 28), decoy_hash(cost).substr(0, 28));
    EXPECT_EQ(std::string_view(computed).size(), 60u);
    EXPECT_FALSE(verify_password("secret", decoy_hash(cost)));
  }
}

Task<> hash_and_verify(Passwords& passwords, bool& right, bool& wrong, bool& unknown) {
  const std::string hash = co_await passwords.hash("correct horse");
  right = co_await passwords.verify("correct horse", hash);
  wrong = co_await passwords.verify("battery staple", hash);
  unknown = co_await passwords.verify("correct horse", std::nullopt);
}

TEST(Passwords, WorkOnThePool) {
  TaskGroup group([](const std::string&, const std::exception& error) { ADD_FAILURE() << error.what(); });
  ShardSet shards(1);
  WorkerPool pool("passwords", 1, 4);
  Passwords passwords(pool, kCheap);
  bool right = false, wrong = true, unknown = true;
  group.spawn(shards[0].executor(), "test", hash_and_verify(passwords, right, wrong, unknown));
  ASSERT_TRUE(group.wait(10s));
  EXPECT_TRUE(right);
  EXPECT_FALSE(wrong);
  EXPECT_FALSE(unknown);
}

}  // namespace
}  // namespace payam::chat
