#include "http/api/endpoint.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/describe/class.hpp>

namespace payam::http {
namespace {

struct Caller {
  std::string email;
};

struct RoomPath {
  Text<1, 26> id;
};
BOOST_DESCRIBE_STRUCT(RoomPath, (), (id))

struct SendRequest {
  Text<1, 5> content;
  std::optional<std::string> client_id;
};
BOOST_DESCRIBE_STRUCT(SendRequest, (), (content, client_id))

struct SendQuery {
  Default<Integer<1, 500>, 100> limit;
};
BOOST_DESCRIBE_STRUCT(SendQuery, (), (limit))

struct MessageReply {
  std::string id, sender, content;
  std::int64_t limit = 0;
};
BOOST_DESCRIBE_STRUCT(MessageReply, (), (id, sender, content, limit))

struct LoginForm {
  std::string username, password;
};
BOOST_DESCRIBE_STRUCT(LoginForm, (), (username, password))

struct LoginBody {
  Email email;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(LoginBody, (), (email, password))

struct SendInput {
  RoomPath path;
  SendQuery query;
  SendRequest body;
};
struct LoginInput {
  std::optional<LoginForm> form;
  std::optional<LoginBody> body;
};

// An API with one endpoint of each kind, called without a connection.
class EndpointTest : public testing::Test {
 protected:
  EndpointTest() : shard_(0, context_), api_(router_, &authenticate) {
    api_.add<SendInput>({.method = Method::post,
                         .path = "/rooms/{id}/messages",
                         .summary = "Send a message",
                         .tag = "messages",
                         .status = 201,
                         .replies = {{200, "The message of an earlier try"}, {404, "No such room"}, {429, ""}}},
                        [](Call<Caller> call, SendInput in) -> Task<Answer<MessageReply>> {
                          if (*in.path.id == "none") co_return fail(Errc::not_found, "Chat room not found or access denied");
                          if (*in.path.id == "busy") co_return fail(Errc::rate_limited, "Slow down");
                          MessageReply reply{*in.path.id, call.identity.email, *in.body.content, *in.query.limit};
                          if (in.body.client_id) co_return Reply<MessageReply>(200, std::move(reply));
                          co_return reply;
                        });
    api_.add<LoginInput>({.method = Method::post, .path = "/login", .summary = "Log in", .auth = Auth::none},
                         [](Call<Caller>, LoginInput in) -> Task<Answer<std::string>> {
                           co_return in.body ? "json " + *in.body->email : "form " + in.form->username;
                         });
    api_.add<Nothing>({.method = Method::del, .path = "/me", .summary = "Leave", .status = 204},
                      [](Call<Caller>, Nothing) -> Task<Answer<Nothing>> { co_return Nothing{}; });
    api_.add<Nothing>(
        {.method = Method::get, .path = "/media/{rest...}", .summary = "A file", .auth = Auth::none, .status = 206},
        [](Call<Caller>, Nothing) -> Task<Answer<Response>> { co_return Response::text(206, "bytes"); });
  }

  static Task<std::expected<Caller, Refusal>> authenticate(Shard&, const Request& request) {
    if (request.headers.find("Authorization") != "Bearer good") co_return fail(Errc::unauthorized, "Not authenticated");
    co_return Caller{"sara@example.org"};
  }

  Response call(Method method, std::string target, std::string body, std::string type = "application/json",
                std::string token = "Bearer good") {
    Request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) request.query = Query::parse(target.substr(mark + 1));
    request.body = std::move(body);
    request.headers.add("Content-Type", std::move(type));
    if (!token.empty()) request.headers.add("Authorization", std::move(token));
    auto match = router_.match(method, request.path);
    EXPECT_NE(match.route, nullptr);
    request.params = std::move(match.params);
    Response response;
    asio::co_spawn(context_, match.route->serve(shard_, request), [&](std::exception_ptr error, Response result) {
      if (error) std::rethrow_exception(error);
      response = std::move(result);
    });
    context_.restart();
    context_.run();
    return response;
  }

  static std::string text(const Response& response) { return std::get<std::string>(response.body); }

  asio::io_context context_{1};
  Shard shard_;
  Router router_;
  Api<Caller> api_;
};

TEST_F(EndpointTest, TheHandlerGetsItsInputParsedAndItsReplyWritten) {
  const auto response = call(Method::post, "/rooms/r1/messages?limit=7", R"({"content":"سلام","sender":"ignored"})");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(text(response), R"({"id":"r1","sender":"sara@example.org","content":"سلام","limit":7})");
  EXPECT_EQ(call(Method::post, "/rooms/r1/messages", R"({"content":"x","client_id":"c"})").status, 200);
}

TEST_F(EndpointTest, FaultsOfPathQueryAndBodyComeTogether) {
  const auto response = call(Method::post, "/rooms/" + std::string(27, 'r') + "/messages?limit=0", R"({"content":""})");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(text(response),
            R"({"detail":[{"type":"string_too_long","loc":["path","id"],"msg":"String should have at most 26 characters",)"
            R"("input":"rrrrrrrrrrrrrrrrrrrrrrrrrrr","ctx":{"max_length":26}},)"
            R"({"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1",)"
            R"("input":"0","ctx":{"ge":1}},)"
            R"({"type":"string_too_short","loc":["body","content"],"msg":"String should have at least 1 character",)"
            R"("input":"","ctx":{"min_length":1}}]})");
}

TEST_F(EndpointTest, WithoutATokenNothingIsParsed) {
  const auto response = call(Method::post, "/rooms/r1/messages", "{", "application/json", "");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(text(response), R"({"detail":"Not authenticated"})");
}

TEST_F(EndpointTest, AGuardIsAskedBeforeAnythingIsParsed) {
  std::string asked;
  api_.add<SendInput>(
      {.method = Method::put, .path = "/guarded/{id}", .summary = "Guarded", .replies = {{429, "Too often"}}},
      [](Call<Caller>, SendInput) -> Task<Answer<MessageReply>> { co_return MessageReply{}; },
      [&asked](const Caller& caller, const Request&) -> std::optional<Refusal> {
        if (!std::exchange(asked, caller.email).empty()) return Refusal(Error{Errc::rate_limited, "Too often"});
        return std::nullopt;
      });
  EXPECT_EQ(call(Method::put, "/guarded/r", "no JSON").status, 422);
  EXPECT_EQ(asked, "sara@example.org");
  EXPECT_EQ(call(Method::put, "/guarded/r", "no JSON").status, 429);
}

TEST_F(EndpointTest, RefusalsHaveTheirStatusAndWords) {
  const auto missing = call(Method::post, "/rooms/none/messages", R"({"content":"x"})");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(text(missing), R"({"detail":"Chat room not found or access denied"})");
  const auto busy = call(Method::post, "/rooms/busy/messages", R"({"content":"x"})");
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.find("Retry-After"), "1");
}

TEST_F(EndpointTest, TheContentTypeDecidesBetweenFormAndJson) {
  EXPECT_EQ(text(call(Method::post, "/login", R"({"email":"A@B.co","password":"p"})")), "\"json a@b.co\"");
  EXPECT_EQ(text(call(Method::post, "/login", "username=s%40x&password=p", "application/x-www-form-urlencoded")),
            "\"form s@x\"");
  EXPECT_EQ(text(call(Method::post, "/login",
                      "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nsara\r\n--b\r\n"
                      "Content-Disposition: form-data; name=\"password\"\r\n\r\np\r\n--b--\r\n",
                      "multipart/form-data; boundary=b")),
            "\"form sara\"");
  EXPECT_EQ(call(Method::post, "/login", "username=s%40x&password=p", "text/plain").status, 422);
}

TEST_F(EndpointTest, RepliesWithoutABodyAndRawOnes) {
  const auto gone = call(Method::del, "/me", "");
  EXPECT_EQ(gone.status, 204);
  EXPECT_FALSE(gone.headers.has("Content-Type"));
  EXPECT_EQ(text(gone), "");
  EXPECT_EQ(call(Method::get, "/media/a/b", "").status, 206);
}

TEST_F(EndpointTest, TheDocumentSaysTheSame) {
  const auto document =
      json::parse(api_.openapi().document({.title = "Test", .version = "1", .description = "", .token_url = "auth/token"}));
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  const auto& send = document.at("paths").at("/rooms/{id}/messages").at("post");
  EXPECT_EQ(send, json::parse(R"({
    "tags":["messages"],"summary":"Send a message","operationId":"post_rooms__id__messages",
    "security":[{"OAuth2PasswordBearer":[]}],
    "parameters":[
      {"name":"id","in":"path","required":true,"schema":{"type":"string","minLength":1,"maxLength":26}},
      {"name":"limit","in":"query","required":false,"schema":{"type":"integer","minimum":1,"maximum":500,"default":100}}],
    "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/SendRequest"}}}},
    "responses":{
      "200":{"description":"The message of an earlier try",
             "content":{"application/json":{"schema":{"$ref":"#/components/schemas/MessageReply"}}}},
      "201":{"description":"Created","content":{"application/json":{"schema":{"$ref":"#/components/schemas/MessageReply"}}}},
      "401":{"description":"Unauthorized","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ErrorDetail"}}},
             "headers":{"WWW-Authenticate":{"schema":{"type":"string"}}}},
      "404":{"description":"No such room","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ErrorDetail"}}}},
      "413":{"description":"Content Too Large","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ErrorDetail"}}}},
      "422":{"description":"Unprocessable Content","content":{"application/json":{"schema":{"$ref":"#/components/schemas/HTTPValidationError"}}}},
      "429":{"description":"Too Many Requests","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ErrorDetail"}}},
             "headers":{"Retry-After":{"schema":{"type":"integer"}}}}}})"));
  EXPECT_TRUE(document.at("paths").as_object().contains("/media/{rest}"));
  EXPECT_EQ(
      document.at("components").at("securitySchemes").at("OAuth2PasswordBearer").at("flows").at("password").at("tokenUrl"),
      "auth/token");
  EXPECT_TRUE(document.at("components").at("schemas").as_object().contains("ValidationError"));
  EXPECT_FALSE(document.at("paths").at("/login").at("post").as_object().contains("security"));
}

}  // namespace
}  // namespace payam::http
