// Every call without a token, with a bad one, as a stranger. The calls come from the OpenAPI description, so that none is
// forgotten.
#include <gmock/gmock.h>

#include <set>

#include "base/base64.hpp"
#include "chat/api/testing/rest_fixture.hpp"
#include "http/percent.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class NegativeMatrix : public RestFixture {
 protected:
  // A path with what its parameters stand for.
  static std::string fill(std::string path, const std::string& id) {
    const std::pair<std::string, std::string> parameters[] = {
        {"{id}", id},        {"{email}", "sara@example.org"},
        {"{name}", "a.txt"}, {"{message_id}", "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        {"{token}", "none"}, {"{emoji}", "%F0%9F%91%8D"}};
    for (const auto& [name, value] : parameters) {
      if (const auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    EXPECT_EQ(path.find('{'), std::string::npos) << "no value for a parameter of " << path;
    return path;
  }

  // A body that would be right.
  static std::string body_for(const http::Operation& operation) {
    static const std::map<std::pair<http::Method, std::string>, std::string> bodies{
        {{http::Method::post, "/chat/chat_rooms/"}, R"({"name":"A room"})"},
        {{http::Method::post, "/chat/chat_rooms/{id}/messages"}, R"({"content":"hello"})"},
        {{http::Method::post, "/chat/chat_rooms/{id}/members"}, R"({"emails":["omid@example.org"]})"},
        {{http::Method::post, "/chat/private_chats/"}, R"({"email":"omid@example.org"})"},
        {{http::Method::patch, "/chat/chat_rooms/{id}"}, R"({"name":"Another"})"},
        {{http::Method::patch, "/chat/chat_rooms/{id}/members/{email}"}, R"({"role":"admin"})"},
        {{http::Method::post, "/chat/chat_rooms/{id}/read"}, R"({"seq":1})"},
        {{http::Method::post, "/chat/chat_rooms/{id}/invites"}, "{}"},
        {{http::Method::post, "/chat/join"}, R"({"token":"none"})"},
        {{http::Method::patch, "/chat/chat_rooms/{id}/messages/{message_id}"}, R"({"content":"hello"})"},
        {{http::Method::patch, "/auth/users/me"}, R"({"full_name":"Sara"})"},
        {{http::Method::del, "/auth/users/me"}, R"({"password":"not this one"})"},
        {{http::Method::post, "/auth/users/me/password"}, R"({"current_password":"no","new_password":"a new password"})"},
    };
    const auto found = bodies.find({operation.method, operation.path});
    return found == bodies.end() ? "" : found->second;
  }

  Reply call_as(const http::Operation& operation, const std::string& id, CallOptions options) {
    return call(operation.method, fill(operation.path, id), body_for(operation), std::move(options));
  }

  std::string label(const http::Operation& operation) {
    return std::string(http::to_string(operation.method)) + ' ' + operation.path;
  }

  const std::string sara = arrive("sara"), omid = arrive("omid");
  const std::string room = create_room(sara);
};

TEST_F(NegativeMatrix, WithoutATokenOnlyTheDoorIsOpen) {
  std::set<std::string> open;
  for (const auto& operation : api_.openapi().operations()) {
    if (!operation.bearer) {
      open.insert(label(operation));
      continue;
    }
    const Reply reply = call_as(operation, room, {});
    EXPECT_EQ(reply.status, 401) << label(operation);
    EXPECT_EQ(reply.text, R"({"detail":"Not authenticated"})") << label(operation);
    EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer") << label(operation);
  }
  EXPECT_EQ(open, (std::set<std::string>{"GET /.well-known/jwks.json", "GET /media/{id}/{name}", "POST /auth/login",
                                         "POST /auth/signup", "POST /auth/token"}));
}

TEST_F(NegativeMatrix, ABadTokenOpensNothing) {
  const auto first_dot = sara.find('.'), last_dot = sara.rfind('.');
  const std::string unsigned_token = base64url_encode(R"({"alg":"none"})") + sara.substr(first_dot, last_dot - first_dot + 1);
  const Tokens foreign({TokenKey::generate()}, std::chrono::minutes(30));
  const std::string tokens[] = {"nonsense",
                                sara + "x",
                                sara.substr(0, last_dot),
                                unsigned_token,
                                foreign.issue("sara@example.org", SessionId("S"), wall_now()),
                                tokens_.issue("sara@example.org", SessionId("no-such-session"), wall_now())};
  for (const auto& operation : api_.openapi().operations()) {
    if (!operation.bearer) continue;
    for (const auto& token : tokens) {
      const Reply reply = call_as(operation, room, {.token = token});
      EXPECT_EQ(reply.status, 401) << label(operation) << ' ' << token;
      EXPECT_EQ(reply.text, R"({"detail":"Could not validate credentials"})") << label(operation);
    }
  }
  const Reply media = get("/media/" + room + "/a.txt", "nonsense");
  EXPECT_EQ(media.text, R"({"detail":"Could not validate credentials"})");
}

TEST_F(NegativeMatrix, AStrangerFindsARoomAsLittleAsOneThatIsNotThere) {
  int calls = 0;
  for (const auto& operation : api_.openapi().operations()) {
    if (!operation.path.starts_with("/chat/chat_rooms/{id}")) continue;
    ++calls;
    for (const std::string& id : {room, std::string("01ARZ3NDEKTSV4RRFFQ69G5FAV"), std::string("x"), std::string("%2e%2e")}) {
      const Reply reply = call_as(operation, id, {.token = omid});
      EXPECT_EQ(reply.status, 404) << label(operation) << ' ' << id;
      EXPECT_EQ(reply.text, R"({"detail":"Chat room not found or access denied"})") << label(operation);
    }
  }
  EXPECT_GE(calls, 18);
  EXPECT_EQ(get("/chat/chat_rooms/" + room, sara).body().at("rev"), 1) << "nothing was changed";
}

TEST_F(NegativeMatrix, ABodyThatIsNoJsonIsSaidToBeSo) {
  for (const auto& operation : api_.openapi().operations()) {
    if (!operation.bearer || body_for(operation).empty()) continue;
    for (const std::string& body :
         {std::string("{"), std::string("{\"a\":}"), std::string("{} {}"), std::string("\xff\xfe"), std::string("'")}) {
      const Reply reply = call(operation.method, fill(operation.path, room), body, {.token = sara});
      EXPECT_EQ(reply.status, 422) << label(operation) << ' ' << body;
      EXPECT_EQ(reply.body().at("detail").at(0).at("type"), "json_invalid") << reply.text;
    }
    for (const char* body : {"null", "[]", "7", "\"text\""}) {
      EXPECT_EQ(call(operation.method, fill(operation.path, room), body, {.token = sara}).status, 422)
          << label(operation) << ' ' << body;
    }
  }
}

struct BadBody {
  const char* path;
  const char* body;
  const char* location;
};

TEST_F(NegativeMatrix, EachFieldOfARoomHasItsLimits) {
  const std::string long_name = R"({"name":")" + std::string(101, 'x') + "\"}";
  std::string crowd = R"({"name":"x","members":[)";
  for (int i = 0; i < 1'001; ++i) crowd += (i > 0 ? "," : "") + ("\"a" + std::to_string(i) + "@example.org\"");
  crowd += "]}";
  const BadBody cases[] = {
      {"/chat/chat_rooms/", "{}", R"(["body","name"])"},
      {"/chat/chat_rooms/", R"({"name":""})", R"(["body","name"])"},
      {"/chat/chat_rooms/", R"({"name":" "})", R"(["body","name"])"},
      {"/chat/chat_rooms/", R"({"name":"a\nb"})", R"(["body","name"])"},
      {"/chat/chat_rooms/", R"({"name":["x"]})", R"(["body","name"])"},
      {"/chat/chat_rooms/", long_name.c_str(), R"(["body","name"])"},
      {"/chat/chat_rooms/", R"({"name":"x","members":"omid@example.org"})", R"(["body","members"])"},
      {"/chat/chat_rooms/", R"({"name":"x","members":["omid@example.org","omid"]})", R"(["body","members",1])"},
      {"/chat/chat_rooms/", R"({"name":"x","members":[null]})", R"(["body","members",0])"},
      {"/chat/chat_rooms/", crowd.c_str(), R"(["body","members"])"},
      {"/chat/chat_rooms/{id}/members", "{}", R"(["body","emails"])"},
      {"/chat/chat_rooms/{id}/members", R"({"emails":[]})", R"(["body","emails"])"},
      {"/chat/chat_rooms/{id}/members", R"({"emails":[7]})", R"(["body","emails",0])"},
      {"/chat/private_chats/", "{}", R"(["body","email"])"},
      {"/chat/private_chats/", R"({"email":"omid"})", R"(["body","email"])"},
      {"/chat/private_chats/", R"({"email":null})", R"(["body","email"])"},
  };
  for (const auto& bad : cases) {
    const Reply reply = post(fill(bad.path, room), bad.body, sara);
    EXPECT_EQ(reply.status, 422) << bad.path << ' ' << std::string_view(bad.body).substr(0, 100);
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(bad.location)) << reply.text;
  }
  EXPECT_EQ(get("/chat/chat_rooms/", sara).body().as_array().size(), 1u) << "nothing was created";
}

TEST_F(NegativeMatrix, AWrongMethodIsNot404) {
  for (const auto& operation : api_.openapi().operations()) {
    EXPECT_EQ(call(http::Method::other, fill(operation.path, room)).status, 405) << operation.path;
  }
}

}  // namespace
}  // namespace payam::chat::api
