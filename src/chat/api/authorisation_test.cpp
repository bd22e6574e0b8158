// Who may do what: every REST call and every socket event, as each kind of caller, beside the answer the contract gives. A call
// or an event that the server has and the table has not fails the test; what is refused must leave everything as it was.
#include <gmock/gmock.h>

#include <array>
#include <set>

#include "base/base64.hpp"
#include "base/ulid.hpp"
#include "chat/api/testing/socket_fixture.hpp"
#include "http/percent.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// `ex` was removed from the room by its owner. `blocked` is an admin of it whom `target` and `partner` block.
enum Caller : std::size_t { nobody, bad_token, stranger, ex, blocked, member, admin, owner };
constexpr std::array kCallers{"nobody", "bad token", "stranger", "ex", "blocked", "member", "admin", "owner"};

// For each caller a status, or an event's `ok` or code; `+`: the answer has the row's secret in it, `-`: it has not.
using Cells = std::array<std::string_view, kCallers.size()>;

struct Row {
  std::string_view call;  // "METHOD path", or an event's name; a parameter is named by what stands for it
  std::string_view input;
  Cells cells;
  std::string_view secret = {};
};

// What names stand for: {guest} is a member whose {message} says "the secret words"; {target} is outside the room; {partner},
// who is online, has a private chat with the caller; {private} is that of guest and target; {own_…} and {self} are the
// caller's.
// clang-format off
constexpr std::string_view kSecret = "the secret words";
const Row kCalls[] = {
    //                                                              nobody bad   stranger ex   blocked member admin owner
    // The door.
    {"POST /auth/signup", R"({"username":"new{n}","email":"new{n}@example.org","password":"a password"})",
                                                                    {"201", "201", "201", "201", "201", "201", "201", "201"}},
    {"POST /auth/login", R"({"email":"{guest}","password":"password"})",
                                                                    {"200", "200", "200", "200", "200", "200", "200", "200"}},
    {"POST /auth/login", R"({"email":"{guest}","password":"wrong"})",
                                                                    {"401", "401", "401", "401", "401", "401", "401", "401"}},
    {"POST /auth/token", "username={guest}&password=password",      {"200", "200", "200", "200", "200", "200", "200", "200"}},
    {"POST /auth/token", "grant_type=refresh_token&refresh_token=x",
                                                                    {"401", "401", "401", "401", "401", "401", "401", "401"}},
    {"GET /.well-known/jwks.json", "",                              {"200", "200", "200", "200", "200", "200", "200", "200"}},
    // Oneself.
    {"POST /auth/logout", "",                                       {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"GET /auth/sessions", "",                                      {"401", "401", "200-", "200-", "200-", "200-", "200-", "200-"}, "{session}"},
    {"DELETE /auth/sessions/{own_session}", "",                     {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"DELETE /auth/sessions/{session}", "",                         {"401", "401", "404", "404", "404", "404", "404", "404"}},
    {"GET /auth/users/me", "",                                      {"401", "401", "200+", "200+", "200+", "200+", "200+", "200+"}, "{self}"},
    {"PATCH /auth/users/me", R"({"full_name":"A name"})",           {"401", "401", "200", "200", "200", "200", "200", "200"}},
    {"PATCH /auth/users/me", R"({"username":"guest{n}"})",          {"401", "401", "400", "400", "400", "400", "400", "400"}},
    {"DELETE /auth/users/me", R"({"password":"password"})",         {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"DELETE /auth/users/me", R"({"password":"wrong"})",            {"401", "401", "403", "403", "403", "403", "403", "403"}},
    {"POST /auth/users/me/password", R"({"current_password":"password","new_password":"a new password"})",
                                                                    {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"POST /auth/users/me/password", R"({"current_password":"wrong","new_password":"a new password"})",
                                                                    {"401", "401", "403", "403", "403", "403", "403", "403"}},
    {"GET /auth/users?q={guest}", "",                               {"401", "401", "200+", "200+", "200+", "200+", "200+", "200+"}, "{guest}"},
    {"GET /auth/users/me/blocks", "",                               {"401", "401", "200", "200", "200", "200", "200", "200"}},
    {"PUT /auth/users/me/blocks/{guest}", "",                       {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"DELETE /auth/users/me/blocks/{guest}", "",                    {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"DELETE /auth/users/me/blocks/{self}", "",                     {"401", "401", "404", "404", "404", "404", "404", "404"}},
    // Rooms.
    {"POST /chat/chat_rooms/", R"({"name":"Another","members":["{target}"]})",
                                                                    {"401", "401", "201", "201", "403", "201", "201", "201"}},
    {"POST /chat/chat_rooms/", R"({"name":"Another","members":["{guest}","nobody@example.org"]})",
                                                                    {"401", "401", "400", "400", "400", "400", "400", "400"}},
    {"GET /chat/chat_rooms/", "",                                   {"401", "401", "200-", "200-", "200+", "200+", "200+", "200+"}, "{room}"},
    {"GET /chat/chat_rooms/{room}", "",                             {"401", "401", "404", "404", "200+", "200+", "200+", "200+"}, kSecret},
    {"GET /chat/chat_rooms/{private}", "",                          {"401", "401", "404", "404", "404", "404", "404", "404"}},
    {"PATCH /chat/chat_rooms/{room}", R"({"name":"Renamed"})",      {"401", "401", "404", "404", "200", "403", "200", "200"}},
    {"PATCH /chat/chat_rooms/{own_private}", R"({"name":"Named"})", {"401", "401", "409", "409", "409", "409", "409", "409"}},
    {"DELETE /chat/chat_rooms/{room}", "",                          {"401", "401", "404", "404", "403", "403", "403", "204"}},
    {"DELETE /chat/chat_rooms/{own_private}", "",                   {"401", "401", "409", "409", "409", "409", "409", "409"}},
    {"POST /chat/chat_rooms/{room}/members", R"({"emails":["{target}"]})",
                                                                    {"401", "401", "404", "404", "403", "403", "200", "200"}},
    {"POST /chat/chat_rooms/{own_private}/members", R"({"emails":["{target}"]})",
                                                                    {"401", "401", "409", "409", "409", "409", "409", "409"}},
    {"DELETE /chat/chat_rooms/{room}/members/{guest}", "",          {"401", "401", "404", "404", "204", "403", "204", "204"}},
    {"DELETE /chat/chat_rooms/{room}/members/{self}", "",           {"401", "401", "404", "404", "204", "204", "204", "409"}},
    {"DELETE /chat/chat_rooms/{room}/members/{owner}", "",          {"401", "401", "404", "404", "403", "403", "403", "409"}},
    {"DELETE /chat/chat_rooms/{room}/members/{target}", "",         {"401", "401", "404", "404", "404", "403", "404", "404"}},
    {"PATCH /chat/chat_rooms/{room}/members/{guest}", R"({"role":"admin"})",
                                                                    {"401", "401", "404", "404", "200", "403", "200", "200"}},
    {"PATCH /chat/chat_rooms/{room}/members/{guest}", R"({"role":"owner"})",
                                                                    {"401", "401", "404", "404", "403", "403", "403", "200"}},
    {"PATCH /chat/chat_rooms/{room}/members/{owner}", R"({"role":"member"})",
                                                                    {"401", "401", "404", "404", "403", "403", "403", "409"}},
    {"POST /chat/chat_rooms/{room}/read", R"({"seq":1})",           {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"POST /chat/chat_rooms/{room}/invites", "{}",                  {"401", "401", "404", "404", "201", "403", "201", "201"}},
    {"DELETE /chat/chat_rooms/{room}/invites/{invite}", "",         {"401", "401", "404", "404", "204", "403", "204", "204"}},
    {"POST /chat/join", R"({"token":"{invite}"})",                  {"401", "401", "200", "403", "200", "200", "200", "200"}},
    {"POST /chat/join", R"({"token":"none"})",                      {"401", "401", "404", "404", "404", "404", "404", "404"}},
    // Private chats.
    {"GET /chat/private_chats/", "",                                {"401", "401", "200+", "200+", "200-", "200+", "200+", "200+"},
        R"("other_user_email":"{partner}","is_online":true)"},
    {"POST /chat/private_chats/", R"({"email":"{target}"})",        {"401", "401", "201", "201", "403", "201", "201", "201"}},
    {"POST /chat/private_chats/", R"({"email":"{partner}"})",       {"401", "401", "200+", "200+", "200-", "200+", "200+", "200+"},
        R"("is_online":true)"},
    {"DELETE /chat/private_chats/{own_private}", "",                {"401", "401", "204", "204", "204", "204", "204", "204"}},
    {"DELETE /chat/private_chats/{private}", "",                    {"401", "401", "404", "404", "404", "404", "404", "404"}},
    {"DELETE /chat/private_chats/{room}", "",                       {"401", "401", "404", "404", "404", "404", "404", "404"}},
    // Messages.
    {"GET /chat/chat_rooms/{room}/messages", "",                    {"401", "401", "404", "404", "200+", "200+", "200+", "200+"}, kSecret},
    {"POST /chat/chat_rooms/{room}/messages", R"({"content":"hello"})",
                                                                    {"401", "401", "404", "404", "201", "201", "201", "201"}},
    {"POST /chat/chat_rooms/{private}/messages", R"({"content":"hello"})",
                                                                    {"401", "401", "404", "404", "404", "404", "404", "404"}},
    {"POST /chat/chat_rooms/{room}/messages", R"({"content":"hello","attachments":["{upload}"]})",
                                                                    {"401", "401", "404", "404", "400", "400", "400", "400"}},
    {"PATCH /chat/chat_rooms/{room}/messages/{message}", R"({"content":"hello"})",
                                                                    {"401", "401", "404", "404", "403", "403", "403", "403"}},
    {"PATCH /chat/chat_rooms/{room}/messages/{own_message}", R"({"content":"hello"})",
                                                                    {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"DELETE /chat/chat_rooms/{room}/messages/{message}", "",       {"401", "401", "404", "404", "200", "403", "200", "200"}},
    {"DELETE /chat/chat_rooms/{room}/messages/{own_message}", "",   {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"PUT /chat/chat_rooms/{room}/messages/{message}/reactions/{emoji}", "",
                                                                    {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"DELETE /chat/chat_rooms/{room}/messages/{message}/reactions/{emoji}", "",
                                                                    {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"PUT /chat/chat_rooms/{room}/messages/{message}/pin", "",      {"401", "401", "404", "404", "200", "403", "200", "200"}},
    {"DELETE /chat/chat_rooms/{room}/messages/{message}/pin", "",   {"401", "401", "404", "404", "200", "403", "200", "200"}},
    {"GET /chat/chat_rooms/{room}/pins", "",                        {"401", "401", "404", "404", "200", "200", "200", "200"}},
    {"GET /chat/search?q=secret", "",                               {"401", "401", "200-", "200-", "200+", "200+", "200+", "200+"}, kSecret},
    {"GET /chat/search?q=secret&room_id={room}", "",                {"401", "401", "404", "404", "200+", "200+", "200+", "200+"}, kSecret},
    // Media.
    {"POST /chat/upload_media/", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n",
                                                                    {"401", "401", "200", "200", "200", "200", "200", "200"}},
    {"GET /media/{upload}/{a.txt}", "",                             {"401", "401", "404", "404", "200", "200", "200", "200"}},
};

const Row kEvents[] = {
    //                                                              nobody     bad        stranger     ex           blocked      member       admin        owner
    {"chat_message", R"({"room":"{room}","message":"hello"})",      {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"chat_message", R"({"room":"{private}","message":"hello"})",   {"refused", "refused", "not_found", "not_found", "not_found", "not_found", "not_found", "not_found"}},
    {"join_room", R"({"room":"{room}","after_rev":0})",             {"refused", "refused", "not_found", "not_found", "ok+", "ok+", "ok+", "ok+"}, kSecret},
    {"join_room", R"({"room":"user:{guest_id}"})",                  {"refused", "refused", "not_found", "not_found", "not_found", "not_found", "not_found", "not_found"}},
    {"leave_room", R"({"room":"{room}"})",                          {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"resume", R"({"rooms":{"{room}":{"rev":0}}})",                 {"refused", "refused", "ok-", "ok-", "ok+", "ok+", "ok+", "ok+"}, kSecret},
    {"get_online_users", R"({"room":"{room}"})",                    {"refused", "refused", "not_found", "not_found", "ok+", "ok+", "ok+", "ok+"}, "{guest}"},
    {"get_online_users", "{}",                                      {"refused", "refused", "ok+", "ok+", "ok-", "ok+", "ok+", "ok+"}, "{partner}"},
    {"get_online_users", "{}",                                      {"refused", "refused", "ok-", "ok-", "ok+", "ok+", "ok+", "ok+"}, "{guest}"},
    {"typing", R"({"room":"{room}","typing":true})",                {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"typing", R"({"room":"user:{guest_id}","typing":true})",       {"refused", "refused", "not_found", "not_found", "not_found", "not_found", "not_found", "not_found"}},
    {"mark_read", R"({"room":"{room}","seq":1})",                   {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"edit_message", R"({"id":"{message}","message":"hello"})",     {"refused", "refused", "not_found", "not_found", "forbidden", "forbidden", "forbidden", "forbidden"}},
    {"edit_message", R"({"id":"{own_message}","message":"hello"})", {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"delete_message", R"({"id":"{message}"})",                     {"refused", "refused", "not_found", "not_found", "ok", "forbidden", "ok", "ok"}},
    {"delete_message", R"({"id":"{own_message}"})",                 {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"react", R"({"id":"{message}","emoji":"👍","on":true})",       {"refused", "refused", "not_found", "not_found", "ok", "ok", "ok", "ok"}},
    {"authenticate", R"({"token":"{self_token}"})",                 {"refused", "refused", "ok", "ok", "ok", "ok", "ok", "ok"}},
    {"authenticate", R"({"token":"{guest_token}"})",                {"refused", "refused", "unauthorized", "unauthorized", "unauthorized", "unauthorized", "unauthorized", "unauthorized"}},
};
// clang-format on

class Authorisation : public SocketFixture {
 protected:
  struct Person {
    User user;
    std::string token;
    const std::string& email() const { return user.email; }
  };

  // A world of its own for each cell of the table.
  struct World {
    std::map<std::string, Person> people;
    std::map<std::string, std::string> names;  // what placeholders stand for
    std::string caller;                        // whose call it is; "" for nobody
    std::string token;                         // shown with the call
    Client* guest = nullptr;                   // connected, for events

    std::string operator()(std::string_view text) const {
      std::string filled(text);
      for (const auto& [name, value] : names) {
        for (auto at = filled.find(name); at != std::string::npos; at = filled.find(name, at + value.size())) {
          filled.replace(at, name.size(), value);
        }
      }
      return filled;
    }
  };

  Authorisation() {
    on_shard([this]() -> Task<> {
      const PasswordCaller caller{"192.0.2.1"};
      hash_ = (co_await passwords_.hash("password", caller)).value();
    });
  }

  Person enrol(const std::string& name) {
    Person person;
    person.user = {UserId(new_ulid(wall_now())), name, name + "@example.org", {}, hash_, wall_now(), {}};
    on_shard([&]() -> Task<> {
      EXPECT_TRUE(co_await store_->create_user(person.user));
      Device device{"test", "192.0.2.1"};
      auto signed_in = co_await sessions_.begin(person.user, std::move(device));
      person.token = signed_in.access_token;
    });
    return person;
  }

  // What an answer has in its field.
  static std::string field(const Reply& reply, std::string_view name, int status) {
    EXPECT_EQ(reply.status, status) << reply.text;
    return reply.status == status ? text_of(reply.body().at(name)) : "";
  }
  std::string say(const std::string& room, const Person& person, std::string_view text) {
    const auto body = json::serialize(json::object{{"content", text}});
    return field(post("/chat/chat_rooms/" + room + "/messages", body, person.token), "id", 201);
  }
  std::string open_private(const Person& from, const Person& to) {
    return field(post("/chat/private_chats/", json::serialize(json::object{{"email", to.email()}}), from.token), "id", 201);
  }
  void change(http::Method method, const std::string& path, const std::string& body, const Person& by, int status) {
    const Reply reply = call(method, path, body, {.token = by.token});
    EXPECT_EQ(reply.status, status) << path << ' ' << reply.text;
  }

  World make_world(const Row& row, Caller caller) {
    const std::string n = std::to_string(++worlds_);
    const auto mentions = [&](std::string_view name) {
      return (std::string(row.call) + std::string(row.input) + std::string(row.secret)).find(name) != std::string::npos;
    };
    World world;
    for (const char* name : {"owner", "admin", "member", "blocked", "ex", "guest", "stranger", "target"}) {
      world.people[name] = enrol(name + n);
      world.names["{" + std::string(name) + "}"] = world.people[name].email();
    }
    auto& people = world.people;
    const std::string room =
        create_room(people["owner"].token, {"admin" + n, "member" + n, "blocked" + n, "ex" + n, "guest" + n});
    const std::string path = "/chat/chat_rooms/" + room;
    for (const char* name : {"admin", "blocked"}) {
      change(http::Method::patch, path + "/members/" + people[name].email(), R"({"role":"admin"})", people["owner"], 200);
    }
    world.caller = caller <= bad_token ? "" : kCallers[caller];
    const Person& self = people[world.caller.empty() ? "guest" : world.caller];
    world.token = caller == nobody ? "" : caller == bad_token ? "nonsense" : self.token;
    world.names.insert({{"{n}", n},
                        {"{room}", room},
                        {"{self}", self.email()},
                        {"{self_token}", self.token},
                        {"{guest_token}", people["guest"].token},
                        {"{guest_id}", people["guest"].user.id.str()},
                        {"{emoji}", "%F0%9F%91%8D"},
                        {"{a.txt}", "a.txt"},
                        {"{message}", say(room, people["guest"], kSecret)}});
    world.names["{own_message}"] = caller == stranger ? world.names["{message}"] : say(room, self, "words of my own");
    if (mentions("{upload}")) {
      const CallOptions form{.token = people["guest"].token, .content_type = "multipart/form-data; boundary=b"};
      const Reply uploaded =
          call(http::Method::post, "/chat/upload_media/",
               "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nx\r\n--b--\r\n", form);
      const std::string id = field(uploaded, "id", 200);
      change(http::Method::post, path + "/messages", R"({"content":"","attachments":[")" + id + "\"]}", people["guest"], 201);
      world.names["{upload}"] = id;
    }
    if (mentions("{invite}")) {
      world.names["{invite}"] = field(post(path + "/invites", "{}", people["owner"].token), "token", 201);
    }
    if (mentions("{private}")) world.names["{private}"] = open_private(people["guest"], people["target"]);
    if (mentions("{own_private}"))
      world.names["{own_private}"] = open_private(self, world.caller.empty() ? people["ex"] : people["guest"]);
    if (mentions("session}")) {
      world.names["{session}"] = text_of(get("/auth/sessions", people["guest"].token).body().at(0).at("id"));
      world.names["{own_session}"] = text_of(get("/auth/sessions", self.token).body().at(0).at("id"));
    }
    if (mentions("{partner}")) {
      const Person& partner = people["partner"] = enrol("partner" + n);
      world.names["{partner}"] = partner.email();
      open_private(self, partner);
      join(partner.token);
      change(http::Method::put, "/auth/users/me/blocks/" + people["blocked"].email(), "", partner, 204);
    }
    change(http::Method::put, "/auth/users/me/blocks/" + people["blocked"].email(), "", people["target"], 204);
    change(http::Method::del, path + "/members/" + people["ex"].email(), "", people["owner"], 204);
    return world;
  }

  // All that a refused call might have changed.
  std::string snapshot(const World& world) {
    std::string text;
    const std::string room = "/chat/chat_rooms/" + world.names.at("{room}");
    for (const std::string& path : {room, room + "/messages?limit=500", room + "/pins"}) {
      text += get(path, world.people.at("owner").token).text + "\n";
    }
    std::set<std::string> whose{"guest", "target"};
    if (!world.caller.empty()) whose.insert(world.caller);
    for (const auto& name : whose) {
      const Person& person = world.people.at(name);
      for (const char* path : {"/auth/users/me", "/auth/users/me/blocks", "/chat/chat_rooms/", "/chat/private_chats/"}) {
        text += get(path, person.token).text + "\n";
      }
      on_shard([&]() -> Task<> {
        for (const Session& session : co_await store_->sessions_of(person.user.id)) text += session.id.str() + ' ';
        text += std::to_string(co_await store_->uploaded_bytes(person.user.id)) + "\n";
      });
    }
    return text;
  }

  static std::string_view without_mark(std::string_view cell) {
    if (cell.ends_with('+') || cell.ends_with('-')) cell.remove_suffix(1);
    return cell;
  }
  static void look_for_secret(std::string_view cell, const std::string& secret, const std::string& text) {
    if (cell.ends_with('+')) EXPECT_THAT(text, HasSubstr(secret));
    if (cell.ends_with('-')) EXPECT_THAT(text, Not(HasSubstr(secret)));
  }

  static http::Method method_of(std::string_view call) {
    for (const auto method :
         {http::Method::get, http::Method::post, http::Method::put, http::Method::patch, http::Method::del}) {
      if (call.substr(0, call.find(' ')) == http::to_string(method)) return method;
    }
    ADD_FAILURE() << call;
    return http::Method::get;
  }
  static std::vector<std::string> segments(std::string_view path) {
    std::vector<std::string> list(1);
    for (const char c : path.substr(0, path.find('?'))) {
      if (c == '/') {
        list.emplace_back();
      } else {
        list.back() += c;
      }
    }
    return list;
  }
  // Whether a row is one of this operation.
  static bool is_of(const Row& row, const http::Operation& operation) {
    const auto path = segments(row.call.substr(row.call.find(' ') + 1)), pattern = segments(operation.path);
    return method_of(row.call) == operation.method &&
           std::ranges::equal(path, pattern, [](const std::string& part, const std::string& wanted) {
             return wanted.starts_with('{') ? part.starts_with('{') : part == wanted;
           });
  }

  Reply make_call(const Row& row, const World& world) {
    CallOptions options{.token = world.token};
    if (row.input.starts_with("--")) {
      options.content_type = "multipart/form-data; boundary=b";
    } else if (!row.input.starts_with('{')) {
      options.content_type = "application/x-www-form-urlencoded";
    }
    return call(method_of(row.call), world(row.call.substr(row.call.find(' ') + 1)), world(row.input), std::move(options));
  }

  void check_call(const Row& row, Caller caller) {
    const World world = make_world(row, caller);
    const std::string before = snapshot(world);
    const Reply reply = make_call(row, world);
    EXPECT_EQ(std::to_string(reply.status), without_mark(row.cells[caller])) << reply.text;
    look_for_secret(row.cells[caller], world(row.secret), reply.text);
    if (reply.status == 401 && !row.call.starts_with("POST /auth/")) {
      EXPECT_EQ(reply.detail(), caller == nobody ? "Not authenticated" : "Could not validate credentials");
      EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer");
    }
    if (reply.status == 404 && (caller == stranger || caller == ex) &&
        row.call.find(" /chat/chat_rooms/{") != std::string::npos) {
      EXPECT_EQ(reply.detail(), "Chat room not found or access denied");
    }
    if (reply.status >= 400) EXPECT_EQ(snapshot(world), before) << "something was changed";
    if (caller == owner && row.secret.empty() && !kSilent.contains(row.call) && reply.status < 300 &&
        !row.call.starts_with("GET")) {
      EXPECT_NE(snapshot(world), before) << "nothing was changed";
    }
  }
  // What leaves no trace in what anybody reads.
  inline static const std::set<std::string_view> kSilent{"POST /auth/signup",
                                                         "POST /auth/users/me/password",
                                                         "DELETE /auth/users/me/blocks/{guest}",
                                                         "POST /chat/chat_rooms/{room}/invites",
                                                         "POST /chat/join",
                                                         "POST /chat/chat_rooms/{room}/read",
                                                         "DELETE /chat/chat_rooms/{room}/invites/{invite}",
                                                         "DELETE /chat/chat_rooms/{room}/messages/{message}/reactions/{emoji}",
                                                         "DELETE /chat/chat_rooms/{room}/messages/{message}/pin"};

  // What the guest was told besides presence.
  std::size_t told(Client& guest) {
    std::size_t count = 0;
    for (const char* name :
         {"broadcast_message", "message_updated", "room_updated", "room_added", "room_removed", "typing", "read"}) {
      count += guest.events(name).size();
    }
    return count;
  }

  void check_event(const Row& row, Caller caller) {
    const World world = make_world(row, caller);
    Client& guest = join(world.people.at("guest").token, 1);
    const std::string before = snapshot(world);
    const json::value input = json::parse(world(row.input));
    std::string answer;
    if (caller <= bad_token) {
      Client& client = *clients_.emplace_back(std::make_unique<Client>(io_, shards_[0]));
      const json::object auth = caller == nobody ? json::object{} : json::object{{"token", world.token}};
      EXPECT_EQ(client.connect(json::serialize(auth)),
                R"(4{"message":"Could not validate credentials","data":{"code":"unauthorized"}})");
      client.emit(row.call, input);
      EXPECT_TRUE(client.wait_closed()) << "an event before the namespace is joined";
      answer = "refused";
    } else {
      const json::value ack = join(world.token).ask(row.call, input);
      answer = text_of(ack.at("status"));
      if (answer == "error") answer = text_of(ack.at("code"));
      look_for_secret(row.cells[caller], world(row.secret), json::serialize(ack));
    }
    EXPECT_EQ(answer, without_mark(row.cells[caller]));
    if (answer != "ok") {
      EXPECT_EQ(snapshot(world), before) << "something was changed";
      EXPECT_EQ(told(guest), 0u) << "something was told";
    }
    clients_.clear();
  }

  std::string hash_;
  int worlds_ = 0;
};

TEST_F(Authorisation, EveryCallHasItsAnswerForEveryCaller) {
  for (const auto& operation : api_.openapi().operations()) {
    EXPECT_TRUE(std::ranges::any_of(kCalls, [&](const Row& row) { return is_of(row, operation); }))
        << "no row for " << http::to_string(operation.method) << ' ' << operation.path;
  }
  for (const Row& row : kCalls) {
    EXPECT_TRUE(std::ranges::any_of(api_.openapi().operations(), [&](const auto& operation) { return is_of(row, operation); }))
        << "no such call: " << row.call;
    for (std::size_t caller = 0; caller < kCallers.size(); ++caller) {
      SCOPED_TRACE(std::string(row.call) + ' ' + std::string(row.input) + " as " + kCallers[caller]);
      check_call(row, static_cast<Caller>(caller));
      clients_.clear();
    }
  }
}

TEST_F(Authorisation, EveryEventHasItsAnswerForEveryCaller) {
  std::set<std::string_view> registered, in_table;
  const auto handlers = io_.impl().main()->handlers();
  for (const auto& [name, listeners] : handlers->events) registered.insert(name);
  for (const Row& row : kEvents) in_table.insert(row.call);
  EXPECT_EQ(in_table, registered);
  for (const Row& row : kEvents) {
    for (std::size_t caller = 0; caller < kCallers.size(); ++caller) {
      SCOPED_TRACE(std::string(row.call) + ' ' + std::string(row.input) + " as " + kCallers[caller]);
      check_event(row, static_cast<Caller>(caller));
    }
  }
}

TEST_F(Authorisation, NoKindOfBadTokenOpensAnything) {
  const Person sara = enrol("sara");
  const std::string& good = sara.token;
  const auto first_dot = good.find('.'), last_dot = good.rfind('.');
  const std::string no_algorithm = base64url_encode(R"({"alg":"none"})") + good.substr(first_dot, last_dot - first_dot + 1);
  const Tokens foreign({TokenKey::generate()}, std::chrono::minutes(30));
  const std::string tokens[] = {"nonsense",
                                good + "x",
                                good.substr(0, last_dot),
                                no_algorithm,
                                foreign.issue("sara@example.org", SessionId("S"), wall_now()),
                                tokens_.issue("sara@example.org", SessionId("no-such-session"), wall_now()),
                                tokens_.issue_signup(wall_now(), std::chrono::hours(1))};
  for (const auto& token : tokens) {
    for (const auto& operation : api_.openapi().operations()) {
      if (!operation.bearer) continue;
      std::string path = operation.path;
      for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
        path.replace(at, path.find('}') + 1 - at, "x");
      const Reply reply = call(operation.method, path, "", {.token = token});
      EXPECT_EQ(reply.status, 401) << http::to_string(operation.method) << ' ' << path << ' ' << token;
      EXPECT_EQ(reply.detail(), "Could not validate credentials") << path;
    }
    Client client(io_, shards_[0]);
    EXPECT_THAT(client.connect(json::serialize(json::object{{"token", token}})), StartsWith("4{")) << token;
  }
}

TEST_F(Authorisation, ARoomThatIsNotMineLooksLikeOneThatIsNotThere) {
  for (const Row& row : kCalls) {
    if (row.call.find(" /chat/chat_rooms/{room}") == std::string::npos) continue;
    World world = make_world(row, stranger);
    const Reply hidden = make_call(row, world);
    for (const char* absent : {"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "%2e%2e"}) {
      world.names["{room}"] = absent;
      const Reply reply = make_call(row, world);
      EXPECT_EQ(std::pair(reply.status, reply.text), std::pair(hidden.status, hidden.text)) << row.call << ' ' << absent;
    }
  }
}

}  // namespace
}  // namespace payam::chat::api
