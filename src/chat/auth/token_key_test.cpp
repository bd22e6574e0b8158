#include "chat/auth/token_key.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace payam::chat {
namespace {

// The key of RFC 7515 appendix A.3, as SEC 1.
constexpr std::string_view kRfcKey = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
)";

TEST(TokenKey, ChecksTheExampleOfRfc7515AppendixA1) {
  const auto secret =
      base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const auto key = TokenKey::from_secret(*secret);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm(), "HS256");
  constexpr std::string_view kInput =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
      "yb290Ijp0cnVlfQ";
  EXPECT_EQ(base64url_encode(key->sign(kInput)), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_TRUE(key->verify(kInput, *base64url_decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
  EXPECT_FALSE(key->verify(kInput, *base64url_decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXg")));
  EXPECT_FALSE(key->verify(kInput, ""));
}

TEST(TokenKey, ChecksTheExampleOfRfc7515AppendixA3) {
  const auto key = TokenKey::from_pem(kRfcKey);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->algorithm(), "ES256");
  constexpr std::string_view kInput =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const auto signature =
      base64url_decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(key->verify(kInput, *signature));
  EXPECT_FALSE(key->verify(std::string(kInput) + "x", *signature));
  for (std::size_t i = 0; i < signature->size(); ++i) {
    std::string damaged = *signature;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(key->verify(kInput, damaged)) << "byte " << i;
  }
}

TEST(TokenKey, RefusesSignaturesThatAreNone) {
  const TokenKey key = TokenKey::generate();
  EXPECT_FALSE(key.verify("text", ""));
  EXPECT_FALSE(key.verify("text", std::string(64, '\0'))) << "r and s of 0 (CVE-2022-21449)";
  EXPECT_FALSE(key.verify("text", std::string(64, '\xff')));
  EXPECT_FALSE(key.verify("text", std::string(63, 'a')));
  EXPECT_FALSE(key.verify("text", std::string(65, 'a')));
}

TEST(TokenKey, SignaturesAreAlways64Bytes) {
  const TokenKey key = TokenKey::generate();
  for (int i = 0; i < 300; ++i) {  // r or s is shorter than 32 bytes about once in 128
    const std::string signature = key.sign(std::to_string(i));
    ASSERT_EQ(signature.size(), 64u);
    ASSERT_TRUE(key.verify(std::to_string(i), signature));
  }
}

TEST(TokenKey, PublishesItsPublicHalfAlone) {
  const auto key = TokenKey::from_pem(kRfcKey);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
  EXPECT_EQ(key->public_jwk(),
            R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",)"
            R"("alg":"ES256","use":"sig"})");
}

TEST(TokenKey, SurvivesItsPem) {
  const TokenKey key = TokenKey::generate();
  const auto again = TokenKey::from_pem(key.to_pem());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id(), key.id());
  EXPECT_TRUE(again->verify("text", key.sign("text")));
}

TEST(TokenKey, RefusesOtherKeys) {
  constexpr std::string_view kP384 = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAq1SpjOsfCtKhZANiAATYoX5VuOL0
e8Np/ZYWaVzic9zk4weDCmX1pKmqiWfJh67qetNlZ3oTv9ZcP+WmaTm9xTVCxSE6
UTRduoIgq7I8cWWaTYULO7r/jQNb0IpZ6zIJnJapBJ5NfUNc9nVxO8g=
-----END PRIVATE KEY-----
)";
  constexpr std::string_view kEncrypted = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBANAbnPmytoRAqWvuwN
EFeRAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQlX8UkMZdv+oINitC
zJRHiQSBkIojiodOl6PdQM2jCSBk9NUbzU5BnAHdVXN/qAvi8Yr0wYttTTjWcEVz
lxgscoHDfOTV1fMNl6Zm+PrvyqC6SRlR67pyNk4fUzdFHEX0QknOY3mn4O97ytQz
3w9ZmOhq70tcNj53qA7yNdh3/8vdOgqimgL01Uq4IUtZoQ8cjizJR35HWhyo8Em4
6PzMoB8B5w==
-----END ENCRYPTED PRIVATE KEY-----
)";
  EXPECT_FALSE(TokenKey::from_pem(kP384));
  EXPECT_FALSE(TokenKey::from_pem(kEncrypted));
  EXPECT_FALSE(TokenKey::from_pem(""));
  EXPECT_FALSE(TokenKey::from_pem("not a key"));
  EXPECT_FALSE(TokenKey::from_secret(std::string(31, 'k')));
  EXPECT_TRUE(TokenKey::from_secret(std::string(32, 'k')));
}

}  // namespace
}  // namespace payam::chat
