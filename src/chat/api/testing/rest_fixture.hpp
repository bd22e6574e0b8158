// For tests: the whole REST side on a store in memory, called without a connection.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/api/rest.hpp"
#include "chat/media/media_files.hpp"
#include "chat/service/testing/run_on.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "http/message.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat::api::testing {

namespace json = boost::json;

inline std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string text;

  // The body as JSON; null if it is none.
  json::value body() const {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value() : value;
  }
  std::string detail() const {
    const auto value = body();
    const auto* object = value.if_object();
    return object != nullptr && object->contains("detail") && object->at("detail").is_string()
               ? std::string(object->at("detail").as_string())
               : "";
  }
};

// The body of a streamed request, in pieces of `piece` bytes; `torn` ends it with an error.
class TextSource final : public http::BodySource {
 public:
  TextSource(std::string text, std::size_t piece, bool torn) : text_(std::move(text)), piece_(piece), torn_(torn) {}
  Task<Result<std::string_view>> read() override {
    if (at_ == text_.size() && torn_) co_return fail(Errc::bad_request, "The body is not complete");
    const std::string_view next = std::string_view(text_).substr(at_, piece_);
    at_ += next.size();
    co_return next;
  }

 private:
  const std::string text_;
  const std::size_t piece_;
  const bool torn_;
  std::size_t at_ = 0;
};

struct CallOptions {
  std::string token = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool secure = false;
  std::size_t piece = 7;  // of a streamed body
  bool torn = false;
};

class RestFixture : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kUploadLimit = 1000;
  static constexpr std::uint64_t kUserQuota = 2500;
  static constexpr int kPasswordCost = 4;

  struct Setup {
    SignupMode signup = SignupMode::open;
    UserDirectory directory = UserDirectory::prefix;
    bool limited = false;
    std::optional<RateLimits> rates = {};  // nullopt: nothing is too often
    PasswordDenylist denylist = {};
    Budget::Bounds passwords = Passwords::kBounds;
  };

  RestFixture() : RestFixture(Setup{}) {}
  explicit RestFixture(const Setup& setup)
      : passwords_(password_pool_, kPasswordCost, setup.passwords),
        authenticator_(*store_, tokens_, {&shards_[0], &shards_[1]}, &RestFixture::clock),
        accounts_(*store_, passwords_, tokens_, authenticator_, sessions_, setup.limited ? &entry_limits_ : nullptr,
                  {setup.signup, setup.directory, &RestFixture::clock, setup.denylist}),
        limits_(setup.rates) {
    now_ = wall_now();
    add_endpoints(api_, services_);
  }

  ~RestFixture() override {
    end_presence();
    std::filesystem::remove_all(media_directory_);
  }

  // It writes to the store until then.
  void end_presence() {
    if (presence_ == nullptr) return;
    presence_->close();
    EXPECT_TRUE(tasks_.wait(std::chrono::seconds(10)));
    on_shard([this]() -> Task<> {
      presence_.reset();
      read_markers_.reset();
      co_return;
    });
  }

  // Runs a coroutine to its end on the shard.
  void on_shard(std::function<Task<>()> work) { chat::testing::run_on(tasks_, shards_[0], std::move(work)); }

  // `target` may have a query. A body for a streamed route is handed over in pieces.
  Reply call(http::Method method, std::string target, std::string body = "", CallOptions options = {}) {
    http::Request request;
    request.method = method;
    const auto mark = target.find('?');
    const std::string path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = http::Query::parse(target.substr(mark + 1));
    request.path = path;
    request.target = std::move(target);
    request.peer = "192.0.2.1";
    request.secure = options.secure;
    if (!body.empty()) request.headers.add("Content-Type", options.content_type);
    if (!options.token.empty()) request.headers.add("Authorization", "Bearer " + options.token);
    for (auto& [name, value] : options.headers) request.headers.add(name, value);
    const auto match = router_.match(method, path);
    if (match.route == nullptr) return {match.allow.empty() ? 404 : 405, {}, ""};
    request.params = match.params;
    TextSource source(body, options.piece, options.torn);
    if (!match.route->streams()) request.body = std::move(body);
    http::Response response;
    on_shard([&]() -> Task<> { response = co_await match.route->serve(shards_[0], request, source); });
    return read(std::move(response));
  }

  Reply get(std::string target, std::string token = "") {
    return call(http::Method::get, std::move(target), "", {.token = std::move(token)});
  }
  Reply post(std::string target, std::string body, std::string token = "") {
    return call(http::Method::post, std::move(target), std::move(body), {.token = std::move(token)});
  }
  Reply del(std::string target, std::string token) {
    return call(http::Method::del, std::move(target), "", {.token = std::move(token)});
  }

  // Signs up `name@example.org` with the password `password of name` and logs in: the token.
  std::string arrive(const std::string& name) {
    const std::string password = "password of " + name;
    EXPECT_EQ(post("/auth/signup",
                   json::serialize(json::object{{"username", name}, {"email", name + "@example.org"}, {"password", password}}))
                  .status,
              201);
    const Reply reply =
        post("/auth/login", json::serialize(json::object{{"email", name + "@example.org"}, {"password", password}}));
    EXPECT_EQ(reply.status, 200) << reply.text;
    return std::string(reply.body().at("access_token").as_string());
  }

  // A room of `token`'s owner with these members; its id.
  std::string create_room(const std::string& token, std::vector<std::string> names = {}) {
    json::array members;
    for (const auto& name : names) members.emplace_back(name + "@example.org");
    const Reply reply =
        post("/chat/chat_rooms/", json::serialize(json::object{{"name", "A room"}, {"members", members}}), token);
    EXPECT_EQ(reply.status, 201) << reply.text;
    return std::string(reply.body().at("id").as_string());
  }

  // Moves the services' clock.
  static void pass(std::chrono::seconds time) { now_ += time; }

 private:
  inline static Timestamp now_{};
  static Timestamp clock() { return now_; }

  static Reply read(http::Response response) {
    Reply reply;
    reply.status = response.status;
    for (const auto& [name, value] : response.headers.all()) reply.headers[name] = value;
    if (auto* text = std::get_if<std::string>(&response.body)) reply.text = *text;
    if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) reply.text = **shared;
    if (auto* file = std::get_if<http::FileBody>(&response.body)) {
      reply.text.resize(file->length);
      const auto size = ::pread(*file->descriptor, reply.text.data(), file->length, static_cast<off_t>(file->offset));
      EXPECT_EQ(size, static_cast<ssize_t>(file->length));
    }
    return reply;
  }

  static std::filesystem::path make_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payam-rest-XXXXXX").string();
    return mkdtemp(pattern.data());
  }

 protected:
  // What completes to the shard ends before it.
  TaskGroup tasks_{[](const std::string& name, const std::exception& error) { ADD_FAILURE() << name << ": " << error.what(); }};
  ShardSet shards_{2};  // REST is called on the first
  WorkerPool password_pool_{"passwords", 1, 10};
  WorkerPool media_pool_{"media", 1, 10};
  const std::filesystem::path media_directory_ = make_directory();
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = ":memory:", .search_effort = {.time = std::chrono::hours(1)}});
  Presence::Announce announce_;  // set before anyone connects
  Passwords passwords_;
  const Tokens tokens_{TokenKey::generate(), std::chrono::minutes(30)};
  EntryLimits entry_limits_;
  CloseSockets close_sockets_;  // set before anyone connects
  Authenticator authenticator_;
  Sessions sessions_{*store_, tokens_, authenticator_,
                     [this](const auto& whose, SessionEnd why) {
                       if (close_sockets_) close_sockets_(whose, why);
                     },
                     &RestFixture::clock};
  Accounts accounts_;
  Rooms rooms_{*store_, &RestFixture::clock};
  Messages messages_{*store_, &RestFixture::clock};
  std::unique_ptr<Presence> presence_ = std::make_unique<Presence>(
      shards_[0], *store_, tasks_,
      [this](const PresenceChange& change, const std::vector<UserId>& audience) {
        if (announce_) announce_(change, audience);
      },
      PresenceOptions{.grace = std::chrono::milliseconds(20), .collect = std::chrono::milliseconds(8)});
  std::unique_ptr<ReadMarkers> read_markers_ = std::make_unique<ReadMarkers>(
      shards_[0], *store_, tasks_, [](const ReadNews&) {}, ReadMarkerOptions{.collect = std::chrono::hours(1)});
  Limits limits_;
  MediaFiles files_{media_directory_, media_pool_};
  DiskReserve disk_{std::nullopt};  // never measured: there is room
  Uploads uploads_{*store_, files_, {kUploadLimit, kUserQuota, {.user = 3, .address = 4, .total = 5}}, &disk_};
  Services services_{*store_,   tokens_,    accounts_,      authenticator_, sessions_, rooms_,
                     messages_, *presence_, *read_markers_, limits_,        uploads_};
  http::Router router_;
  Api api_ = make_api(router_, services_);
};

}  // namespace payam::chat::api::testing
