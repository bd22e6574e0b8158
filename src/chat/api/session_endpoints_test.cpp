// Refreshing, logging out, the list of devices; and that an end reaches sockets.
#include <gmock/gmock.h>

#include <set>

#include "chat/api/testing/socket_fixture.hpp"
#include "chat/service/testing/captured_log.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using chat::testing::CapturedLog;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionEndpoints : public SocketFixture {
 protected:
  Reply log_in(const std::string& name) {
    return post("/auth/login",
                json::serialize(json::object{{"email", name + "@example.org"}, {"password", "password of " + name}}));
  }
  Reply refresh(const std::string& token) {
    return call(http::Method::post, "/auth/token", "grant_type=refresh_token&refresh_token=" + token,
                {.content_type = "application/x-www-form-urlencoded"});
  }
  static std::string access(const Reply& reply) { return text_of(reply.body().at("access_token")); }
  static std::string renewal(const Reply& reply) { return text_of(reply.body().at("refresh_token")); }
  int status_of(const std::string& token) { return get("/auth/users/me", token).status; }
  // The socket is told why, and closed.
  static void expect_ended(Client& client, const std::string& reason) {
    EXPECT_EQ(client.event("session_ended"), json::value({{"reason", reason}}));
    EXPECT_TRUE(client.wait_closed());
  }

  const std::string sara = arrive("sara"), omid = arrive("omid");
};

TEST_F(SessionEndpoints, ARefreshTokenGivesANewPair) {
  const Reply first = log_in("sara");
  const Reply second = refresh(renewal(first));
  EXPECT_EQ(second.status, 200) << second.text;
  EXPECT_EQ(second.body().at("token_type"), "bearer");
  EXPECT_EQ(second.body().at("expires_in"), 1800);
  EXPECT_EQ(second.headers.at("Cache-Control"), "no-store");
  EXPECT_THAT(second.headers.at("Set-Cookie"), StartsWith("payam_media="));
  EXPECT_NE(renewal(second), renewal(first));
  EXPECT_EQ(tokens_.verify(access(second), wall_now())->session, tokens_.verify(access(first), wall_now())->session);
  EXPECT_EQ(status_of(access(second)), 200);
  EXPECT_EQ(refresh(renewal(second)).status, 200);
}

TEST_F(SessionEndpoints, ALostReplyDoesNotSignADeviceOut) {
  const Reply first = log_in("sara");
  const Reply lost = refresh(renewal(first));
  pass(std::chrono::seconds(30));
  const Reply again = refresh(renewal(first));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(renewal(again), renewal(lost)) << "the session's newest";
  EXPECT_NE(access(again), access(lost));
  EXPECT_EQ(status_of(access(again)), 200);
  EXPECT_EQ(refresh(renewal(again)).status, 200);
}

TEST_F(SessionEndpoints, FiveTabsWithOneTokenAllGoOn) {
  std::string token = renewal(log_in("sara"));
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> newest;
    for (int tab = 0; tab < 5; ++tab) {
      const Reply reply = refresh(token);
      EXPECT_EQ(reply.status, 200) << reply.text;
      EXPECT_EQ(status_of(access(reply)), 200);
      newest.insert(renewal(reply));
    }
    ASSERT_EQ(newest.size(), 1u);
    EXPECT_FALSE(newest.contains(token));
    token = *newest.begin();
    pass(std::chrono::minutes(30));
  }
}

TEST_F(SessionEndpoints, AUsedTokenLeadsThroughSeveralToTheNewest) {
  const Reply first = log_in("sara");
  std::vector<std::string> tokens{renewal(first)};
  for (int i = 0; i < 4; ++i) {
    pass(std::chrono::seconds(7));
    tokens.push_back(renewal(refresh(tokens.back())));
  }
  // The first was used 21 seconds ago.
  for (const std::string& token : tokens) {
    if (token != tokens.back()) EXPECT_EQ(renewal(refresh(token)), tokens.back());
  }
  EXPECT_NE(renewal(refresh(tokens.back())), tokens.back());
}

TEST_F(SessionEndpoints, UsingATokenAgainDoesNotProlongIt) {
  const Reply first = log_in("sara");
  const Reply second = refresh(renewal(first));
  for (int i = 0; i < 3; ++i) {
    pass(std::chrono::seconds(10));
    EXPECT_EQ(refresh(renewal(first)).status, 200) << i;
  }
  pass(std::chrono::seconds(1));
  EXPECT_EQ(refresh(renewal(first)).status, 401);
  EXPECT_EQ(refresh(renewal(second)).status, 401) << "someone has a copy: the session is ended";
}

TEST_F(SessionEndpoints, OfNineUsedWithinAMomentTheFirstIsForgotten) {
  const Reply login = log_in("sara");
  std::vector<std::string> tokens{renewal(login)};
  for (int i = 0; i < 9; ++i) tokens.push_back(renewal(refresh(tokens.back())));
  EXPECT_EQ(renewal(refresh(tokens[1])), tokens[9]);
  EXPECT_EQ(status_of(access(login)), 200);
  EXPECT_EQ(refresh(tokens[0]).status, 401);
  EXPECT_EQ(status_of(access(login)), 401);
}

TEST_F(SessionEndpoints, AfterTheEndNoTokenOfTheSessionWorks) {
  const Reply first = log_in("sara");
  const Reply second = refresh(renewal(first));
  EXPECT_EQ(post("/auth/logout", "", access(second)).status, 204);
  for (const Reply* reply : {&first, &second}) {
    EXPECT_EQ(refresh(renewal(*reply)).status, 401);
    EXPECT_EQ(status_of(access(*reply)), 401);
  }
}

TEST_F(SessionEndpoints, NothingStoredOpensWithoutAToken) {
  const Reply first = log_in("sara");
  const std::string newest = renewal(refresh(renewal(first)));
  on_shard([&]() -> Task<> {
    const auto session = co_await store_->find_session(tokens_.verify(access(first), wall_now())->session);
    EXPECT_EQ(session->used.size(), 1u);
    const std::string secret = newest.substr(newest.rfind('.') + 1);
    for (const std::string& kept : {session->refresh_hash, session->used[0].hash, session->used[0].next}) {
      EXPECT_EQ(kept.find(secret), std::string::npos);
    }
  });
}

TEST_F(SessionEndpoints, ASessionUnusedForTooLongEnds) {
  const CapturedLog log;
  const Reply idle = log_in("sara"), used = log_in("sara");
  const auto id = [this](const Reply& reply) { return tokens_.verify(access(reply), wall_now())->session.str(); };
  const std::string idle_id = id(idle);
  pass(std::chrono::days(60));
  const Reply renewed = refresh(renewal(used));
  pass(std::chrono::days(30));
  EXPECT_EQ(get("/auth/sessions", access(refresh(renewal(renewed)))).body().as_array().size(), 3u)
      << "90 days are not too long";
  pass(std::chrono::seconds(1));
  const std::string now = access(refresh(renewal(log_in("sara"))));
  for (const auto& session : get("/auth/sessions", now).body().as_array())
    EXPECT_NE(std::string(session.at("id").as_string()), idle_id);
  EXPECT_EQ(refresh(renewal(idle)).status, 401);
  EXPECT_THAT(log.lines("session_ended"), Contains(HasSubstr("session=" + idle_id + " user=")));
  EXPECT_THAT(log.lines("session_ended"), Contains(HasSubstr("reason=idle")));
}

TEST_F(SessionEndpoints, IdleSessionsAreRemovedWithoutBeingAskedFor) {
  const Reply idle = log_in("sara");
  Client& socket = join(access(idle));
  pass(std::chrono::days(91));
  const Reply fresh = log_in("sara");
  on_shard([this]() -> Task<> { co_await sessions_.end_idle(); });
  expect_ended(socket, "idle");
  EXPECT_EQ(status_of(access(fresh)), 200);
  on_shard([&]() -> Task<> { EXPECT_FALSE(co_await store_->find_session(tokens_.verify(access(idle), wall_now())->session)); });
}

TEST_F(SessionEndpoints, AUserHasABoundedNumberOfSessions) {
  const std::string first = access(log_in("sara"));
  for (std::size_t i = 1; i < Sessions::kMostOfAUser; ++i) {
    pass(std::chrono::seconds(1));
    log_in("sara");
  }
  pass(std::chrono::seconds(1));
  const std::string last = access(log_in("sara"));
  EXPECT_EQ(get("/auth/sessions", last).body().as_array().size(), Sessions::kMostOfAUser);
  EXPECT_EQ(status_of(sara), 401) << "signed in before all others";
  EXPECT_EQ(status_of(first), 401);
  EXPECT_EQ(status_of(omid), 200);
}

TEST_F(SessionEndpoints, ATokenUsedTwiceEndsTheSession) {
  const Reply first = log_in("sara");
  Client& socket = join(access(first), 1);
  Client& other = join(sara);
  const Reply second = refresh(renewal(first));
  pass(std::chrono::seconds(31));
  const Reply reuse = refresh(renewal(first));
  EXPECT_EQ(reuse.status, 401);
  EXPECT_EQ(reuse.text, R"({"detail":"Could not validate credentials"})");
  expect_ended(socket, "token_reused");
  EXPECT_EQ(refresh(renewal(second)).status, 401) << "the thief's or the owner's";
  EXPECT_EQ(status_of(access(second)), 401);
  EXPECT_EQ(status_of(sara), 200) << "another device";
  EXPECT_TRUE(other.events("session_ended").empty());
}

TEST_F(SessionEndpoints, AMadeUpRefreshTokenEndsNothing) {
  const Reply login = log_in("sara");
  const std::string good = renewal(login);
  const std::string session = good.substr(0, good.find('.'));
  for (const std::string& bad :
       {std::string("x"), std::string("."), std::string(".."), session + "..",
        session + ".AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", "01ARZ3NDEKTSV4RRFFQ69G5FAV" + good.substr(good.find('.')),
        access(login), std::string(), std::string("%00"), std::string("%FF%FE.%80.%C3"), session + "%00.x.y", good + ".x",
        good + "%20", std::string(1'000'000, 'A'), "%2E" + std::string(200'000, '.'), std::string("\u0639.\u0639.\u0639")}) {
    const Reply reply = refresh(bad);
    EXPECT_EQ(reply.status, 401) << bad;
    EXPECT_EQ(reply.text, R"({"detail":"Could not validate credentials"})");
  }
  EXPECT_EQ(refresh(good).status, 200);
}

TEST_F(SessionEndpoints, EachGrantNeedsItsFields) {
  const auto form = [this](const std::string& text) {
    return call(http::Method::post, "/auth/token", text, {.content_type = "application/x-www-form-urlencoded"});
  };
  const Reply none = form("grant_type=password");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(none.body().at("detail").at(0).at("loc"), json::parse(R"(["body","username"])"));
  EXPECT_EQ(none.body().at("detail").at(1).at("loc"), json::parse(R"(["body","password"])"));
  const Reply no_token = form("grant_type=refresh_token&username=sara&password=x");
  EXPECT_EQ(no_token.status, 422);
  EXPECT_EQ(no_token.body().at("detail").at(0).at("loc"), json::parse(R"(["body","refresh_token"])"));
  EXPECT_EQ(form("grant_type=implicit&username=sara&password=x").status, 422);
}

TEST_F(SessionEndpoints, LoggingOutEndsTheSessionAtOnceOnEveryShard) {
  const Reply login = log_in("sara");
  Client& first = join(access(login), 0);
  Client& second = join(access(login), 1);
  Client& other = join(sara, 1);
  const Reply out = post("/auth/logout", "", access(login));
  EXPECT_EQ(out.status, 204);
  EXPECT_THAT(out.headers.at("Set-Cookie"), StartsWith("payam_media=; Path=/media; Max-Age=0"));
  expect_ended(first, "logged_out");
  expect_ended(second, "logged_out");
  EXPECT_EQ(status_of(access(login)), 401);
  EXPECT_EQ(refresh(renewal(login)).status, 401);
  EXPECT_EQ(post("/auth/logout", "", access(login)).status, 401);
  Client late(io_, shards_[0]);
  EXPECT_THAT(late.connect(R"({"token":")" + access(login) + "\"}"), StartsWith("4"));
  EXPECT_TRUE(other.events("session_ended").empty());
}

TEST_F(SessionEndpoints, DevicesAreListedAndSignedOut) {
  pass(std::chrono::seconds(60));
  const Reply phone = log_in("sara");
  const auto list = get("/auth/sessions", sara).body().as_array();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].at("current"), false);
  EXPECT_EQ(list[1].at("current"), true);
  EXPECT_EQ(list[0].at("address"), "192.0.2.1");
  EXPECT_TRUE(parse_iso8601(text_of(list[0].at("last_used_at"))));
  const std::string id = text_of(list[0].at("id"));
  EXPECT_EQ(id, tokens_.verify(access(phone), wall_now())->session.str());

  Client& socket = join(access(phone), 1);
  EXPECT_EQ(del("/auth/sessions/" + id, omid).status, 404) << "not yours";
  EXPECT_EQ(del("/auth/sessions/" + id, sara).status, 204);
  expect_ended(socket, "revoked");
  EXPECT_EQ(status_of(access(phone)), 401);
  EXPECT_EQ(del("/auth/sessions/" + id, sara).status, 404);
  EXPECT_EQ(get("/auth/sessions", sara).body().as_array().size(), 1u);
}

TEST_F(SessionEndpoints, TheLastUseIsKnown) {
  const auto last_use = [this] { return *parse_iso8601(text_of(get("/auth/sessions", omid).body().at(0).at("last_used_at"))); };
  const Timestamp before = last_use();
  pass(std::chrono::minutes(10));
  const Reply login = log_in("omid");  // another device, with a new token
  const std::string renewed = tokens_.issue("omid@example.org", tokens_.verify(omid, wall_now())->session, wall_now());
  EXPECT_EQ(status_of(renewed), 200);
  const auto list = get("/auth/sessions", omid).body().as_array();
  for (const auto& session : list) {
    EXPECT_GE(*parse_iso8601(text_of(session.at("last_used_at"))), before + std::chrono::minutes(10));
  }
}

TEST_F(SessionEndpoints, ASocketThatRenewsWithAnotherSessionBelongsToThatOne) {
  const Reply login = log_in("sara");
  Client& socket = join(access(login));
  EXPECT_EQ(socket.ask("authenticate", {{"token", sara}}).at("status"), "ok");
  EXPECT_EQ(post("/auth/logout", "", access(login)).status, 204);
  EXPECT_TRUE(socket.events("session_ended").empty());
  EXPECT_EQ(post("/auth/logout", "", sara).status, 204);
  expect_ended(socket, "logged_out");
}

TEST_F(SessionEndpoints, WhoDoesNotRenewAnExpiredTokenIsDisconnected) {
  const auto claims = tokens_.verify(sara, wall_now()).value();
  const std::string token = tokens_.issue(claims.subject, claims.session, wall_now() + 1500ms - tokens_.lifetime());
  Client& socket = join(token);
  EXPECT_TRUE(socket.event("token_expired").is_null());
  EXPECT_TRUE(socket.wait_closed());
}

TEST_F(SessionEndpoints, NoSocketSlipsThroughWhileItsSessionEnds) {
  for (int i = 0; i < 20; ++i) {
    const Reply login = log_in("sara");
    Client& socket = *clients_.emplace_back(std::make_unique<Client>(io_, shards_[i % 2]));
    socket.send(R"(0{"token":")" + access(login) + "\"}");
    EXPECT_EQ(post("/auth/logout", "", access(login)).status, 204);
    // Refused or closed; never left open.
    EXPECT_TRUE(socket.refused_or_closed()) << i;
  }
}

}  // namespace
}  // namespace payam::chat::api
