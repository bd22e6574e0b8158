#include "http/server/router.hpp"

#include <gmock/gmock.h>

namespace payam::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Handler nothing() {
  return [](Shard&, Request&) -> Task<Response> { co_return Response{}; };
}

Router chat_routes() {
  Router router;
  router.add(Method::get, "/", nothing());
  router.add(Method::post, "/auth/login", nothing());
  router.add(Method::get, "/auth/users/me", nothing());
  router.add(Method::get, "/auth/users/{email}", nothing());
  router.add(Method::del, "/auth/users/{id}", nothing());
  router.add(Method::get, "/chat/chat_rooms/", nothing());
  router.add(Method::post, "/chat/chat_rooms/", nothing());
  router.add(Method::get, "/chat/chat_rooms/{id}/messages", nothing());
  router.add(Method::put, "/chat/chat_rooms/{room}/messages/{message}/pin", nothing());
  router.add(Method::get, "/media/{rest...}", nothing());
  router.add_any("/socket.io/", nothing());
  return router;
}

std::string pattern_of(Method method, std::string_view path) {
  const auto router = chat_routes();
  const auto match = router.match(method, path);
  return match.route == nullptr ? "" : match.route->pattern;
}

TEST(Router, FindsTheRouteOfAPath) {
  EXPECT_EQ(pattern_of(Method::get, "/"), "/");
  EXPECT_EQ(pattern_of(Method::post, "/auth/login"), "/auth/login");
  EXPECT_EQ(pattern_of(Method::get, "/chat/chat_rooms/7/messages"), "/chat/chat_rooms/{id}/messages");
  EXPECT_EQ(pattern_of(Method::get, "/chat/chat_rooms/7"), "");
  EXPECT_EQ(pattern_of(Method::get, "/chat"), "");
  EXPECT_EQ(pattern_of(Method::get, "//"), "");
  EXPECT_EQ(pattern_of(Method::get, "/chat//chat_rooms"), "");
  EXPECT_EQ(pattern_of(Method::get, "/chat/chat_rooms//messages"), "");  // a parameter is never empty
}

TEST(Router, ASlashAtTheEndMakesNoDifference) {
  EXPECT_EQ(pattern_of(Method::get, "/chat/chat_rooms"), "/chat/chat_rooms/");
  EXPECT_EQ(pattern_of(Method::get, "/chat/chat_rooms/"), "/chat/chat_rooms/");
  EXPECT_EQ(pattern_of(Method::post, "/auth/login/"), "/auth/login");
  EXPECT_EQ(pattern_of(Method::post, "/auth/login//"), "");
}

TEST(Router, ALiteralWinsOverAParameter) {
  EXPECT_EQ(pattern_of(Method::get, "/auth/users/me"), "/auth/users/me");
  EXPECT_EQ(pattern_of(Method::get, "/auth/users/you"), "/auth/users/{email}");
}

TEST(Router, TheParameterServesAMethodTheLiteralLacks) {
  EXPECT_EQ(pattern_of(Method::del, "/auth/users/me"), "/auth/users/{id}");
}

TEST(Router, ParametersAreDecodedSegmentBySegment) {
  const auto router = chat_routes();
  EXPECT_THAT(router.match(Method::get, "/auth/users/a%2Fb%40x").params, ElementsAre(Pair("email", "a/b@x")));
  EXPECT_THAT(router.match(Method::put, "/chat/chat_rooms/r/messages/%D8%B3/pin").params,
              ElementsAre(Pair("room", "r"), Pair("message", "س")));
  EXPECT_EQ(pattern_of(Method::get, "/%61uth/users/me"), "/auth/users/me");
}

TEST(Router, TheRestKeepsItsSlashes) {
  const auto router = chat_routes();
  EXPECT_THAT(router.match(Method::get, "/media/a/b.png").params, ElementsAre(Pair("rest", "a/b.png")));
  EXPECT_THAT(router.match(Method::get, "/media/a/").params, ElementsAre(Pair("rest", "a/")));
  EXPECT_EQ(router.match(Method::get, "/media/").route, nullptr);
}

TEST(Router, AWrongMethodNamesThoseAllowed) {
  const auto router = chat_routes();
  const auto match = router.match(Method::put, "/chat/chat_rooms/");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
  EXPECT_EQ(router.match(Method::other, "/auth/login").allow, "POST");
  EXPECT_EQ(router.match(Method::post, "/auth/users/me").allow, "GET, HEAD, DELETE");
  EXPECT_EQ(router.match(Method::get, "/nowhere").allow, "");
}

TEST(Router, HeadFallsBackToGet) {
  EXPECT_EQ(pattern_of(Method::head, "/auth/users/me"), "/auth/users/me");
  EXPECT_EQ(chat_routes().match(Method::head, "/auth/login").allow, "POST");
}

TEST(Router, AnyMethodReachesARouteForAll) {
  for (const auto method : {Method::get, Method::options, Method::other}) {
    EXPECT_EQ(pattern_of(method, "/socket.io/"), "/socket.io/");
  }
}

}  // namespace
}  // namespace payam::http
