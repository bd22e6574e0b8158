// Bodies that do not fit. The calls come from the OpenAPI description; each field of each body, from outside:
// e2e/bad_input_test.py.
#include <gtest/gtest.h>

#include "chat/api/testing/rest_fixture.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;

class BadInput : public RestFixture {
 protected:
  // A path whose parameters stand for something.
  std::string fill(std::string path) const {
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      const std::string name = path.substr(at, path.find('}') + 1 - at);
      path.replace(at, name.size(), name == "{id}" ? room : name == "{email}" ? "sara@example.org" : "x");
    }
    return path;
  }

  const std::string sara = arrive("sara"), omid = arrive("omid");
  const std::string room = create_room(sara);
};

TEST_F(BadInput, ABodyThatIsNoJsonIsSaidToBeSo) {
  int calls = 0;
  for (const auto& operation : api_.openapi().operations()) {
    if (!operation.bearer || operation.request.empty() || operation.request.front().type != "application/json") continue;
    ++calls;
    for (const std::string& body :
         {std::string("{"), std::string("{\"a\":}"), std::string("{} {}"), std::string("\xff\xfe"), std::string("'")}) {
      const Reply reply = call(operation.method, fill(operation.path), body, {.token = sara});
      EXPECT_EQ(reply.status, 422) << operation.path << ' ' << body;
      EXPECT_EQ(reply.body().at("detail").at(0).at("type"), "json_invalid") << reply.text;
    }
    for (const char* body : {"null", "[]", "7", "\"text\""}) {
      EXPECT_EQ(call(operation.method, fill(operation.path), body, {.token = sara}).status, 422)
          << operation.path << ' ' << body;
    }
  }
  EXPECT_GE(calls, 12);
}

struct BadBody {
  const char* path;
  const char* body;
  const char* location;
};

TEST_F(BadInput, EachFieldOfARoomHasItsLimits) {
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
    const Reply reply = post(fill(bad.path), bad.body, sara);
    EXPECT_EQ(reply.status, 422) << bad.path << ' ' << std::string_view(bad.body).substr(0, 100);
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(bad.location)) << reply.text;
  }
  EXPECT_EQ(get("/chat/chat_rooms/", sara).body().as_array().size(), 1u) << "nothing was created";
}

TEST_F(BadInput, AWrongMethodIsNot404) {
  for (const auto& operation : api_.openapi().operations()) {
    EXPECT_EQ(call(http::Method::other, fill(operation.path)).status, 405) << operation.path;
  }
}

}  // namespace
}  // namespace payam::chat::api
