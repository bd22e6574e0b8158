#include "engineio/server/cors.hpp"

#include <gtest/gtest.h>

namespace payam::eio {
namespace {

http::Request from(std::optional<std::string> origin) {
  http::Request request;
  if (origin) request.headers.add("Origin", *origin);
  return request;
}

// "name: value; …" of what is added.
std::string added(const Options::Cors& cors, const http::Request& request) {
  http::Headers headers;
  add_cors_headers(cors, request, headers);
  std::string text;
  for (const auto& [name, value] : headers.all()) text += name + ": " + value + "; ";
  return text;
}

TEST(Cors, EveryoneMayReadWithAStar) {
  EXPECT_EQ(added({.origins = {"*"}}, from("https://a.example")), "Access-Control-Allow-Origin: *; ");
  EXPECT_EQ(added({.origins = {"*"}}, from(std::nullopt)), "Access-Control-Allow-Origin: *; ");
}

TEST(Cors, AListIsExactAndTheAnswerVaries) {
  const Options::Cors cors{.origins = {"https://a.example", "https://b.example"}};
  EXPECT_EQ(added(cors, from("https://b.example")), "Vary: Origin; Access-Control-Allow-Origin: https://b.example; ");
  for (const char* other : {"https://c.example", "https://a.example.evil", "http://a.example", "null"}) {
    EXPECT_EQ(added(cors, from(other)), "Vary: Origin; ") << other;
  }
  EXPECT_EQ(added(cors, from(std::nullopt)), "Vary: Origin; ");
}

TEST(Cors, CredentialsAreForListedOriginsOnly) {
  EXPECT_EQ(added({.origins = {"https://a.example"}, .credentials = true}, from("https://a.example")),
            "Access-Control-Allow-Credentials: true; Vary: Origin; Access-Control-Allow-Origin: https://a.example; ");
  // Browsers refuse the pair of these two: nobody's cookies are opened to everyone.
  EXPECT_EQ(added({.origins = {"*"}, .credentials = true}, from("https://a.example")),
            "Access-Control-Allow-Credentials: true; Access-Control-Allow-Origin: *; ");
}

TEST(Cors, APreflightAllowsTheHeadersAskedFor) {
  auto request = from("https://a.example");
  request.headers.add("Access-Control-Request-Headers", "authorization,x-custom");
  const auto response = answer_preflight({.origins = {"*"}}, request);
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Methods"), "GET,POST");
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Headers"), "authorization,x-custom");
}

}  // namespace
}  // namespace payam::eio
