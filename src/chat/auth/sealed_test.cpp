#include "chat/auth/sealed.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

constexpr SealPurpose kPurpose{"payam test", "first"};

TEST(Sealed, OpensForWhoKnowsThePassphrase) {
  for (const std::string secret : {"", "x", "a private key in many lines\nand more\n"}) {
    EXPECT_EQ(unseal("passphrase", kPurpose, seal("passphrase", kPurpose, secret)), secret);
  }
}

TEST(Sealed, OpensForNobodyElseNothingElseAndUnderNoOtherName) {
  const std::string sealed = seal("passphrase", kPurpose, "secret");
  EXPECT_EQ(unseal("Passphrase", kPurpose, sealed), std::nullopt);
  EXPECT_EQ(unseal("passphrase", {"payam other", "first"}, sealed), std::nullopt);
  EXPECT_EQ(unseal("passphrase", {"payam test", "second"}, sealed), std::nullopt);
}

TEST(Sealed, EveryChangeOfItIsNoticed) {
  const std::string sealed = seal("passphrase", kPurpose, "secret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(unseal("passphrase", kPurpose, changed), std::nullopt) << i;
    EXPECT_EQ(unseal("passphrase", kPurpose, std::string_view(sealed).substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(unseal("passphrase", kPurpose, sealed + "AAAA"), std::nullopt);
}

TEST(Sealed, TheSameSecretNeverLooksTheSame) {
  EXPECT_NE(seal("passphrase", kPurpose, "secret"), seal("passphrase", kPurpose, "secret"));
}

// Made with Python's `cryptography` from the description in the header: HKDF, then AESGCM, salt 00…0f, nonce 10…1b.
TEST(Sealed, IsWhatTheHeaderSays) {
  EXPECT_EQ(unseal("passphrase", kPurpose, "1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaG7XJDIG8WDDFpCuOQJ0lke7NkabPY3k"), "secret");
}

}  // namespace
}  // namespace payam::chat
