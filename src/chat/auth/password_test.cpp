#include "chat/auth/password.hpp"

#include <crypt.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
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

// Nothing tells an account from none: whatever is stored, a wrong password takes the rounds of the cost that is set.
TEST(Password, AWrongOneTakesTheSameWorkWhateverIsStored) {
  constexpr int kCost = 7;
  const std::string too_long(100, 'a');
  const std::optional<std::string> stored[] = {
      std::nullopt,                                                    // nobody
      hash_password("secret", kCost),                                  // as made here
      hash_password("secret", 4),                                      // of a time when less was enough
      hash_password("secret", 6),                                      //
      "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  // made elsewhere
      "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",  //
      "",                                                              // no hash at all
      "!",                                                             //
      "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",                            // of another kind
      "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  //
      "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  // a cost that does not exist
      "$2b$07$!!!!!!!!!!!!!!!!!!!!!.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  // a salt that libxcrypt refuses
      "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  // a cost nobody can wait for
  };
  for (const auto& hash : stored) {
    for (const std::string& wrong : {std::string("guess"), std::string(), too_long, std::string("nul\0byte", 8)}) {
      const PasswordCheck check = check_password(wrong, hash, kCost);
      EXPECT_FALSE(check.right);
      EXPECT_EQ(check.rounds, 1u << kCost) << hash.value_or("none") << ", " << wrong.size() << " bytes";
    }
  }
  // Who is right waits no longer than their own hash takes.
  const PasswordCheck right = check_password("secret", hash_password("secret", 4), kCost);
  EXPECT_TRUE(right.right);
  EXPECT_EQ(right.rounds, 1u << 4);
}

class PasswordsTest : public testing::Test {
 protected:
  // Runs a coroutine to its end.
  void run(std::function<Task<>(Passwords&)> work) {
    group_.spawn(shards_[0].executor(), "test", work(passwords_));
    ASSERT_TRUE(group_.wait(10s));
  }

  TaskGroup group_{[](const std::string&, const std::exception& error) { ADD_FAILURE() << error.what(); }};
  ShardSet shards_{1};
  WorkerPool pool_{"passwords", 1, 8};
  Passwords passwords_{pool_, kCheap, {.address = 2, .total = 3}};
};

Task<> hash_and_verify(Passwords& passwords, bool& right, bool& wrong, bool& unknown) {
  const PasswordCaller caller{"network"};
  const std::string hash = (co_await passwords.hash("correct horse", caller)).value();
  const auto verdict = co_await passwords.verify("correct horse", hash, caller);
  right = verdict->right;
  EXPECT_EQ(verdict->renewed, std::nullopt);
  wrong = (co_await passwords.verify("battery staple", hash, caller))->right;
  unknown = (co_await passwords.verify("correct horse", std::nullopt, caller))->right;
}

Task<> verify_another(Passwords& passwords, std::string hash) {
  const PasswordCaller caller{"network"};
  const auto verdict = co_await passwords.verify("secret", hash, caller);
  EXPECT_TRUE(verdict->right);
  EXPECT_TRUE(verdict->renewed && verdict->renewed->starts_with("$2b$04$")) << hash;
  if (verdict->renewed) EXPECT_TRUE(verify_password("secret", *verdict->renewed));
  const auto wrong = co_await passwords.verify("guess", hash, caller);
  EXPECT_FALSE(wrong->right || wrong->renewed);
}

TEST_F(PasswordsTest, AHashOfAnotherCostOrFormIsMadeAnewWhenThePasswordIsRight) {
  std::string other_form = hash_password("secret", kCheap);
  other_form[2] = 'y';
  for (const std::string& hash : {hash_password("secret", 5), other_form}) {
    run([hash](Passwords& passwords) { return verify_another(passwords, hash); });
  }
}

// One check runs, held at a gate; the others come while it does.
class Gate {
 public:
  explicit Gate(WorkerPool& pool) {
    EXPECT_TRUE(pool.try_submit([this] {
      reached_.set_value();
      opened_.get_future().wait();
    }));
    reached_.get_future().wait();
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> reached_, opened_;
};

Task<> check(Passwords& passwords, PasswordCaller caller, std::vector<std::string>& done) {
  const std::string name = caller.network;
  const auto verdict = co_await passwords.verify("x", std::nullopt, std::move(caller));
  done.push_back(verdict ? name : name + ": " + std::string(to_string(verdict.error().code)));
}

TEST_F(PasswordsTest, AddressesTakeTurnsAndEachHasABoundAndSoHaveAll) {
  std::vector<std::string> done;  // the shard's
  Gate gate(pool_);
  const auto ask = [&](const char* network) {
    group_.spawn(shards_[0].executor(), "test", check(passwords_, {network}, done));
  };
  for (const char* network : {"greedy", "greedy", "greedy", "person", "another"}) ask(network);
  std::promise<void> asked;
  shards_[0].post([&asked] { asked.set_value(); });
  asked.get_future().wait();
  EXPECT_EQ(passwords_.budget().held(), 3u);
  gate.open();
  ASSERT_TRUE(group_.wait(10s));
  EXPECT_EQ(done, (std::vector<std::string>{"greedy: rate_limited", "another: unavailable", "greedy", "person", "greedy"}));
  EXPECT_EQ(passwords_.budget().held(), 0u);
}

TEST_F(PasswordsTest, ACheckIsNotBegunForWhoHasGone) {
  std::vector<std::string> done;
  Gate gate(pool_);
  std::stop_source gone;
  group_.spawn(shards_[0].executor(), "test", check(passwords_, {"leaver", gone.get_token()}, done));
  group_.spawn(shards_[0].executor(), "test", check(passwords_, {"person"}, done));
  gone.request_stop();
  gate.open();
  ASSERT_TRUE(group_.wait(10s));
  EXPECT_EQ(done, (std::vector<std::string>{"leaver: unavailable", "person"}));
}

TEST_F(PasswordsTest, WorkOnThePool) {
  bool right = false, wrong = true, unknown = true;
  run([&](Passwords& passwords) { return hash_and_verify(passwords, right, wrong, unknown); });
  EXPECT_TRUE(right);
  EXPECT_FALSE(wrong);
  EXPECT_FALSE(unknown);
}

}  // namespace
}  // namespace payam::chat
