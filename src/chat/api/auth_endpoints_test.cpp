#include <gmock/gmock.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AuthEndpoints : public RestFixture {
 protected:
  Reply sign_up(json::object fields) { return post("/auth/signup", json::serialize(fields)); }
  Reply log_in_with_form(std::string form, std::string path = "/auth/login") {
    return call(http::Method::post, std::move(path), std::move(form), {.content_type = "application/x-www-form-urlencoded"});
  }
};

TEST_F(AuthEndpoints, SignUpAnswersWithTheProfile) {
  const Reply reply = sign_up({{"username", "sara"},
                               {"email", " Sara@Example.org "},
                               {"password", "گذرواژه‌ام"},
                               {"full_name", "Sara Ahmadi"}});
  EXPECT_EQ(reply.status, 201);
  const auto profile = reply.body().as_object();
  EXPECT_EQ(profile.size(), 4u) << reply.text;
  EXPECT_EQ(profile.at("username"), "sara");
  EXPECT_EQ(profile.at("email"), "sara@example.org");
  EXPECT_EQ(profile.at("full_name"), "Sara Ahmadi");
  EXPECT_TRUE(sign_up({{"username", "omid"}, {"email", "omid@example.org"}, {"password", "long enough"}})
                  .body()
                  .at("full_name")
                  .is_null());
}

TEST_F(AuthEndpoints, AnEmailOrANameIsTakenOnce) {
  sign_up({{"username", "sara"}, {"email", "sara@example.org"}, {"password", "long enough"}});
  Reply reply = sign_up({{"username", "other"}, {"email", "SARA@example.org"}, {"password", "long enough"}});
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.text, R"({"detail":"Email already registered"})");
  reply = sign_up({{"username", "SARA"}, {"email", "other@example.org"}, {"password", "long enough"}});
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.text, R"({"detail":"Username already registered"})");
}

TEST_F(AuthEndpoints, EveryFaultOfASignUpIsListed) {
  const Reply reply = sign_up({{"username", 7}, {"email", "no-at-sign"}});
  EXPECT_EQ(reply.status, 422);
  const auto faults = reply.body().at("detail").as_array();
  ASSERT_EQ(faults.size(), 3u) << reply.text;
  EXPECT_EQ(
      faults[0],
      json::parse(R"({"type":"string_type","loc":["body","username"],"msg":"Input should be a valid string","input":7})"));
  EXPECT_EQ(faults[1].at("loc"), json::parse(R"(["body","email"])"));
  EXPECT_EQ(
      faults[2],
      json::parse(
          R"({"type":"missing","loc":["body","password"],"msg":"Field required","input":{"username":7,"email":"no-at-sign"}})"));
}

struct BadField {
  const char* field;
  json::value value;
};

TEST_F(AuthEndpoints, EachFieldHasItsLimits) {
  const BadField cases[] = {
      {"username", ""},
      {"username", json::string(65, 'a')},
      {"username", " sara"},
      {"username", "sa\nra"},
      {"username", nullptr},
      {"username", json::array{"sara"}},
      {"email", ""},
      {"email", "sara"},
      {"email", "sara@"},
      {"email", "@example.org"},
      {"email", "a b@example.org"},
      {"email", json::object{}},
      {"password", "short"},
      {"password", "ک"},
      {"password", json::string(73, 'a')},
      {"password", 12345678},
      {"full_name", json::string(201, 'a')},
      {"full_name", true},
  };
  for (const auto& bad : cases) {
    json::object fields{
        {"username", "sara"}, {"email", "sara@example.org"}, {"password", "long enough"}, {"full_name", "Sara"}};
    fields[bad.field] = bad.value;
    const Reply reply = sign_up(fields);
    EXPECT_EQ(reply.status, 422) << bad.field << ' ' << bad.value;
    const json::array expected{"body", bad.field};
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), expected) << reply.text;
  }
}

TEST_F(AuthEndpoints, ARefusedPasswordIsNotSentBack) {
  const Reply reply = sign_up({{"username", "sara"}, {"email", "sara@example.org"}, {"password", "hunter2"}});
  EXPECT_EQ(reply.status, 422);
  EXPECT_THAT(reply.text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(reply.text, HasSubstr(R"("input":"**********")"));
}

// Neither where it stands itself, nor in what surrounds another fault, nor under a misspelt name, nor in text that is no JSON.
TEST_F(AuthEndpoints, NoSecretIsEverSentBack) {
  const std::string token = arrive("sara");
  struct Case {
    http::Method method;
    std::string path, body, content_type = "application/json";
    int status = 422;
  };
  for (const Case& each : std::initializer_list<Case>{
           {http::Method::post, "/auth/signup", R"({"username":"omid","password":"hunter2 hunter2"})"},
           {http::Method::post, "/auth/signup", R"({"username":"omid","email":"o@example.org","pasword":"hunter2 hunter2"})"},
           {http::Method::post, "/auth/signup", R"({"email":"o@example.org","password":["hunter2"]})"},
           {http::Method::post, "/auth/signup", R"({"password":"long enough","invite":"hunter2"})"},
           {http::Method::post, "/auth/signup", R"({"username":"omid","password":"hunter2 hunter2"})", "text/plain"},
           {http::Method::post, "/auth/login", R"(["hunter2"])"},
           {http::Method::post, "/auth/login", R"({"password":{"a":"hunter2"}})"},
           {http::Method::post, "/auth/login", "username=sara&password=hunter2&grant_type=implicit",
            "application/x-www-form-urlencoded"},
           {http::Method::post, "/auth/token", "refresh_token=hunter2&grant_type=implicit",
            "application/x-www-form-urlencoded"},
           {http::Method::post, "/auth/token", "grant_type=refresh_token&refresh_token=" + std::string(300, 'h') + "hunter2",
            "application/x-www-form-urlencoded", 401},
           {http::Method::post, "/auth/users/me/password", R"({"current_password":"hunter2"})"},
           {http::Method::del, "/auth/users/me", R"({"password":["hunter2"]})"},
           {http::Method::post, "/chat/join", R"({"token":["hunter2"]})"}}) {
    const Reply reply = call(each.method, each.path, each.body, {.token = token, .content_type = each.content_type});
    EXPECT_EQ(reply.status, each.status) << each.path << ' ' << each.body << reply.text;
    EXPECT_THAT(reply.text, Not(HasSubstr("hunter2"))) << each.path << ' ' << each.body;
  }
}

TEST_F(AuthEndpoints, AByteOrderMarkBeforeTheBodyIsSkipped) {
  arrive("sara");
  const std::string body = R"({"email":"sara@example.org","password":"password of sara"})";
  EXPECT_EQ(post("/auth/login", "\xEF\xBB\xBF" + body).status, 200);
  EXPECT_EQ(post("/auth/login", "\xEF\xBB\xBF\xEF\xBB\xBF" + body).status, 422) << "one, not two";
}

TEST_F(AuthEndpoints, APasswordMayBe72BytesLong) {
  const std::string longest(72, 'a');
  EXPECT_EQ(sign_up({{"username", "sara"}, {"email", "sara@example.org"}, {"password", longest}}).status, 201);
  EXPECT_EQ(post("/auth/login", json::serialize(json::object{{"email", "sara@example.org"}, {"password", longest}})).status,
            200);
  EXPECT_EQ(
      post("/auth/login", json::serialize(json::object{{"email", "sara@example.org"}, {"password", longest + "a"}})).status,
      401);
}

TEST_F(AuthEndpoints, MalformedJsonSaysSo) {
  const Reply reply = post("/auth/signup", "{\"username\": ");
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(reply.body().at("detail").at(0).at("type"), "json_invalid");
}

TEST_F(AuthEndpoints, LoginTakesTheFormOfOauth2) {
  arrive("sara");
  for (const char* path : {"/auth/login", "/auth/token"}) {
    const Reply reply =
        log_in_with_form("grant_type=password&username=sara%40example.org&password=password+of+sara&scope=&client_id=", path);
    EXPECT_EQ(reply.status, 200) << reply.text;
    const auto body = reply.body().as_object();
    EXPECT_EQ(body.size(), 4u) << reply.text;
    EXPECT_EQ(body.at("token_type"), "bearer");
    EXPECT_EQ(body.at("expires_in"), 1800);
    EXPECT_GE(body.at("refresh_token").as_string().size(), 43u);
    EXPECT_EQ(get("/auth/users/me", std::string(body.at("access_token").as_string())).status, 200);
    EXPECT_EQ(reply.headers.at("Cache-Control"), "no-store");
  }
}

TEST_F(AuthEndpoints, LoginTakesTheUsernameToo) {
  arrive("sara");
  EXPECT_EQ(log_in_with_form("username=Sara&password=password+of+sara").status, 200);
  EXPECT_EQ(log_in_with_form("username=SARA%40EXAMPLE.ORG&password=password+of+sara").status, 200);
}

TEST_F(AuthEndpoints, WhoeverGuessesLearnsNothing) {
  arrive("sara");
  const Reply wrong = post("/auth/login", R"({"email":"sara@example.org","password":"wrong password"})");
  const Reply unknown = post("/auth/login", R"({"email":"nobody@example.org","password":"wrong password"})");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.text, R"({"detail":"Incorrect email or password"})");
  EXPECT_EQ(wrong.headers.at("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(unknown.status, wrong.status);
  EXPECT_EQ(unknown.text, wrong.text);
  EXPECT_EQ(unknown.headers, wrong.headers);
}

TEST_F(AuthEndpoints, ALoginWithoutItsFieldsIs422) {
  EXPECT_EQ(log_in_with_form("username=sara").status, 422);
  EXPECT_EQ(log_in_with_form("").status, 422);
  EXPECT_EQ(log_in_with_form("grant_type=implicit&username=sara&password=x").status, 422);
  EXPECT_EQ(post("/auth/login", R"({"email":"sara@example.org"})").status, 422);
  const Reply reply = log_in_with_form("password=x");
  EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(R"(["body","username"])"));
  EXPECT_EQ(reply.body().at("detail").at(0).at("type"), "missing");
}

TEST_F(AuthEndpoints, LoginSetsTheCookieForMediaAlone) {
  arrive("sara");
  const std::string form = "username=sara&password=password+of+sara";
  const Reply plain = log_in_with_form(form);
  EXPECT_THAT(plain.headers.at("Set-Cookie"), StartsWith("payam_media="));
  EXPECT_THAT(plain.headers.at("Set-Cookie"), HasSubstr("; Path=/media; Max-Age=1800; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(plain.headers.at("Set-Cookie"), Not(HasSubstr("Secure")));
  const Reply tls =
      call(http::Method::post, "/auth/login", form, {.content_type = "application/x-www-form-urlencoded", .secure = true});
  EXPECT_THAT(tls.headers.at("Set-Cookie"), HasSubstr("; Secure"));
  // What is in it opens nothing else.
  const std::string cookie = plain.headers.at("Set-Cookie");
  const std::string token = cookie.substr(12, cookie.find(';') - 12);
  EXPECT_EQ(get("/auth/users/me", token).status, 401);
}

TEST_F(AuthEndpoints, MeIsWhoTheTokenSays) {
  const std::string token = arrive("sara");
  const Reply reply = get("/auth/users/me", token);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body().at("email"), "sara@example.org");
  EXPECT_EQ(reply.body().at("username"), "sara");
}

TEST_F(AuthEndpoints, ATokenEndsWithItsTimeThoughItWasJustUsed) {
  const std::string token = arrive("sara");
  EXPECT_EQ(get("/auth/users/me", token).status, 200);
  pass(std::chrono::seconds(1799));
  EXPECT_EQ(get("/auth/users/me", token).status, 200);
  pass(std::chrono::seconds(1));
  const Reply reply = get("/auth/users/me", token);
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.text, R"({"detail":"Could not validate credentials"})");
  EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer");
}

TEST_F(AuthEndpoints, TheSchemeIsBearerInAnyCase) {
  const std::string token = arrive("sara");
  const auto with = [&](const std::string& header) {
    return call(http::Method::get, "/auth/users/me", "", {.headers = {{"Authorization", header}}});
  };
  EXPECT_EQ(with("bearer " + token).status, 200);
  EXPECT_EQ(with("Bearer   " + token + " ").status, 200);
  for (const std::string& header : {"Basic " + token, token, std::string("Bearer"), std::string("Bearer "), "Bearer" + token}) {
    EXPECT_EQ(with(header).detail(), "Not authenticated") << header;
  }
}

TEST_F(AuthEndpoints, TheKeysArePublished) {
  const Reply reply = get("/.well-known/jwks.json");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text, tokens_.jwks(wall_now()));
  EXPECT_THAT(reply.text, Not(HasSubstr("\"d\"")));
}

class ThrottledLogin : public RestFixture {
 protected:
  ThrottledLogin() : RestFixture(Setup{.limited = true}) {}
};

TEST_F(ThrottledLogin, IsSlowedAndSaysForHowLong) {
  arrive("sara");
  const std::string wrong = R"({"email":"sara@example.org","password":"a wrong guess"})";
  Reply reply;
  int guesses = 0;
  for (; guesses < 30 && reply.status != 429; ++guesses) {
    // Whichever of the account's names: it is one account.
    const std::string by_name = R"({"email":"SARA","password":"a wrong guess"})";
    reply = post("/auth/login", guesses % 2 == 0 ? wrong : by_name);
  }
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.text, R"({"detail":"Too many attempts"})");
  EXPECT_EQ(reply.headers.at("Retry-After"), "6");
  EXPECT_EQ(guesses, 11);
  EXPECT_EQ(post("/auth/login", R"({"email":"sara@example.org","password":"password of sara"})").status, 429)
      << "nor is it told when it is right";
}

TEST_F(ThrottledLogin, IsTheSameForNobody) {
  Reply reply;
  for (int i = 0; i < 11; ++i) reply = post("/auth/login", R"({"email":"nobody@example.org","password":"a wrong guess"})");
  EXPECT_EQ(reply.status, 429);
}

class ClosedSignup : public RestFixture {
 protected:
  ClosedSignup() : RestFixture(Setup{.signup = SignupMode::closed}) {}
};

TEST_F(ClosedSignup, IsForbidden) {
  const Reply reply = post("/auth/signup", R"({"username":"sara","email":"sara@example.org","password":"long enough"})");
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.text, R"({"detail":"Sign-up is closed"})");
}

}  // namespace
}  // namespace payam::chat::api
