#include "chat/auth/token.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace payam::chat {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{1'790'000'000'500ms};
const std::string kSecret = "0123456789abcdef0123456789abcdef";

Tokens es256() { return Tokens({TokenKey::generate()}, 30min); }
Tokens hs256() { return Tokens({*TokenKey::from_secret(kSecret)}, 30min); }

// What an attacker who has the secret, or none, would send.
std::string forge(std::string_view header, std::string_view payload, const TokenKey* key) {
  std::string text = base64url_encode(header) + '.' + base64url_encode(payload);
  const std::string signature = key != nullptr ? key->sign(text) : "";
  return text + '.' + base64url_encode(signature);
}

TEST(Tokens, VerifyWhatTheyIssued) {
  for (const Tokens& tokens : {es256(), hs256()}) {
    const std::string token = tokens.issue("sara@example.com", SessionId("S1"), kNow);
    const auto claims = tokens.verify(token, kNow);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->subject, "sara@example.com");
    EXPECT_EQ(claims->session, SessionId("S1"));
    EXPECT_EQ(claims->issued_at, Timestamp(1'790'000'000s));
    EXPECT_EQ(claims->expires_at, Timestamp(1'790'001'800s));
    EXPECT_GE(claims->id.size(), 16u);
    EXPECT_NE(tokens.issue("sara@example.com", SessionId("S1"), kNow), token) << "jti differs";
  }
}

TEST(Tokens, SayWhatTheyAreGoodFor) {
  const Tokens tokens = es256();
  EXPECT_EQ(tokens.verify(tokens.issue("a@b.c", SessionId("S"), kNow), kNow)->audience, Audience::api);
  EXPECT_EQ(tokens.verify(tokens.issue("a@b.c", SessionId("S"), kNow, Audience::media), kNow)->audience, Audience::media);
}

TEST(Tokens, EndAtTheSecondTheySay) {
  const Tokens tokens = es256();
  const std::string token = tokens.issue("sara@example.com", SessionId("S1"), kNow);
  EXPECT_TRUE(tokens.verify(token, Timestamp(1'790'001'799'999ms)));
  EXPECT_EQ(tokens.verify(token, Timestamp(1'790'001'800'000ms)).error(), TokenFault::expired);
}

TEST(Tokens, CarryTheirHeaderAsOthersExpect) {
  const Tokens tokens = hs256();
  EXPECT_TRUE(tokens.issue("a@b.c", SessionId("S"), kNow).starts_with(base64url_encode(R"({"alg":"HS256","typ":"JWT"})")));
  const TokenKey key = TokenKey::generate();
  const std::string expected = R"({"alg":"ES256","typ":"JWT","kid":")" + key.id() + R"("})";
  EXPECT_TRUE(Tokens({key}, 1min).issue("a@b.c", SessionId("S"), kNow).starts_with(base64url_encode(expected)));
}

TEST(Tokens, RefuseAnotherServersKey) {
  const std::string token = es256().issue("sara@example.com", SessionId("S1"), kNow);
  EXPECT_EQ(es256().verify(token, kNow).error(), TokenFault::unknown_key);
  const Tokens other({*TokenKey::from_secret(std::string(32, 'x'))}, 30min);
  EXPECT_EQ(other.verify(hs256().issue("a@b.c", SessionId("S"), kNow), kNow).error(), TokenFault::signature);
}

TEST(Tokens, RefuseAnotherKeyUnderOurKid) {
  const TokenKey ours = TokenKey::generate(), theirs = TokenKey::generate();
  const std::string header = R"({"alg":"ES256","kid":")" + ours.id() + R"("})";
  const std::string payload = R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800})";
  const Tokens tokens({ours}, 30min);
  EXPECT_TRUE(tokens.verify(forge(header, payload, &ours), kNow));
  EXPECT_EQ(tokens.verify(forge(header, payload, &theirs), kNow).error(), TokenFault::signature);
}

TEST(Tokens, LetTheHeaderChooseNothing) {
  const TokenKey ours = TokenKey::generate();
  const Tokens tokens({ours}, 30min);
  const std::string payload = R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800})";
  const auto fault = [&](std::string header, const TokenKey* key) {
    return tokens.verify(forge(header, payload, key), kNow).error();
  };
  // Unsigned, in every spelling.
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    EXPECT_EQ(fault(R"({"alg":")" + std::string(none) + R"(","kid":")" + ours.id() + R"("})", nullptr), TokenFault::algorithm);
  }
  // The public key taken for an HMAC secret.
  const auto as_secret = TokenKey::from_secret(ours.public_jwk());
  EXPECT_EQ(fault(R"({"alg":"HS256","kid":")" + ours.id() + R"("})", &*as_secret), TokenFault::algorithm);
  EXPECT_EQ(fault(R"({"alg":"HS256"})", &*as_secret), TokenFault::unknown_key);
  // No algorithm, one that is no text, keys from elsewhere.
  EXPECT_EQ(fault(R"({"kid":")" + ours.id() + R"("})", &ours), TokenFault::algorithm);
  EXPECT_EQ(fault(R"({"alg":["ES256"],"kid":")" + ours.id() + R"("})", &ours), TokenFault::algorithm);
  EXPECT_EQ(fault(R"({"alg":"ES256","kid":"../../etc/passwd"})", &ours), TokenFault::unknown_key);
  EXPECT_EQ(fault(R"({"alg":"ES256","kid":17})", &ours), TokenFault::unknown_key);
  // An extension we must understand and do not (RFC 7515 section 4.1.11).
  EXPECT_EQ(fault(R"({"alg":"ES256","crit":["b64"],"b64":false,"kid":")" + ours.id() + R"("})", &ours), TokenFault::malformed);
}

TEST(Tokens, RefuseClaimsThatDoNotFit) {
  const auto key = TokenKey::from_secret(kSecret);
  const Tokens tokens({*key}, 30min);
  const auto fault = [&](std::string_view payload) {
    const auto claims = tokens.verify(forge(R"({"alg":"HS256"})", payload, &*key), kNow);
    return claims ? std::nullopt : std::optional(claims.error());
  };
  EXPECT_EQ(fault(R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800})"), std::nullopt);
  for (const char* payload : {
           R"({"sid":"S","jti":"j","iat":1790000000,"exp":1790001800})",
           R"({"sub":"a@b.c","jti":"j","iat":1790000000,"exp":1790001800})",
           R"({"sub":"a@b.c","sid":"","jti":"j","iat":1790000000,"exp":1790001800})",
           R"({"sub":"a@b.c","sid":"S","iat":1790000000,"exp":1790001800})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","exp":1790001800})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800,"aud":"other"})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800,"aud":["media"]})",
           R"({"sub":7,"sid":"S","jti":"j","iat":1790000000,"exp":1790001800})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":"1790001800"})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1e99})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":9223372036854775807})",
           R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":-1})",
       }) {
    EXPECT_EQ(fault(payload), TokenFault::claims) << payload;
  }
  for (const char* payload : {"", "null", "[]", "7", "{", R"({"sub":"a)"})
    EXPECT_EQ(fault(payload), TokenFault::malformed) << payload;
  // So many members as only who means to tire the reader would send.
  std::string large = R"({"sub":"a@b.c","sid":"S","jti":"j","iat":1790000000,"exp":1790001800)";
  for (int i = 0; i < 28; ++i) large += ",\"x" + std::to_string(i) + "\":0";
  EXPECT_EQ(fault(large + "}"), TokenFault::malformed);
}

TEST(Tokens, RefuseWhatIsNoToken) {
  const Tokens tokens = es256();
  const std::string good = tokens.issue("sara@example.com", SessionId("S1"), kNow);
  const auto dot = good.rfind('.');
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b"), std::string("a.b.c"),
        good + '.', good + ".x", '.' + good, good + '=', good + '\n', ' ' + good, good.substr(0, dot), good.substr(0, dot + 1),
        std::string(5000, 'a'), std::string("\0\0.\0.\0", 6), std::string("\xff.\xfe.\xfd")}) {
    const auto claims = tokens.verify(token, kNow);
    EXPECT_FALSE(claims) << token;
  }
}

TEST(Tokens, NoteEveryChangedCharacter) {
  const Tokens tokens = es256();
  const std::string good = tokens.issue("sara@example.com", SessionId("S1"), kNow);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.verify(changed, kNow)) << "at " << i;
  }
}

TEST(Tokens, AcceptTheKeyBeforeARotationUntilItsLastTokenIsOver) {
  const TokenKey old_key = TokenKey::generate(), new_key = TokenKey::generate();
  const std::string token = Tokens(old_key, 30min).issue("a@b.c", SessionId("S"), kNow);
  const Tokens rotated(new_key, 30min, {{old_key, kNow + 20min}});
  EXPECT_TRUE(rotated.verify(token, kNow));
  EXPECT_TRUE(rotated.verify(token, kNow + 19min));
  EXPECT_EQ(rotated.verify(token, kNow + 20min).error(), TokenFault::unknown_key) << "though the token says 30 minutes";
  EXPECT_EQ(rotated.jwks(kNow), R"({"keys":[)" + new_key.public_jwk() + ',' + old_key.public_jwk() + "]}");
  EXPECT_EQ(rotated.jwks(kNow + 20min), R"({"keys":[)" + new_key.public_jwk() + "]}");
  EXPECT_FALSE(Tokens(new_key, 30min).verify(token, kNow));
}

TEST(Tokens, TakeNewKeysWhileTheyAreUsed) {
  const TokenKey old_key = TokenKey::generate(), new_key = TokenKey::generate();
  Tokens tokens(old_key, 30min);
  const std::string before = tokens.issue("a@b.c", SessionId("S"), kNow);
  tokens.replace_keys(new_key, {{old_key, kNow + 30min}});
  EXPECT_EQ(tokens.key_id(), new_key.id());
  EXPECT_TRUE(tokens.verify(before, kNow));
  const std::string after = tokens.issue("a@b.c", SessionId("S"), kNow);
  EXPECT_TRUE(tokens.verify(after, kNow));
  EXPECT_EQ(Tokens(old_key, 30min).verify(after, kNow).error(), TokenFault::unknown_key);
}

TEST(Tokens, AnInviteStandsForNobody) {
  const Tokens tokens = es256();
  const auto claims = tokens.verify(tokens.issue_signup(kNow, 1h), kNow);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->audience, Audience::signup);
  EXPECT_EQ(claims->subject, "");
  EXPECT_EQ(claims->session, SessionId());
  EXPECT_EQ(claims->id.size(), 26u);
  EXPECT_EQ(tokens.verify(tokens.issue_signup(kNow, 1h), kNow + 1h).error(), TokenFault::expired);
  EXPECT_NE(tokens.verify(tokens.issue_signup(kNow, 1h), kNow)->id, claims->id);
}

TEST(Tokens, PublishNoSecret) { EXPECT_EQ(hs256().jwks(kNow), R"({"keys":[]})"); }

}  // namespace
}  // namespace payam::chat
