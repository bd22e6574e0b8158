#include "fuzz/application/world.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "chat/app/application.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"

namespace payam::fuzz {
namespace {

namespace json = boost::json;

// The first of a kind are the people's own and stay; of those learnt later the newest are kept.
constexpr std::size_t kKept = 3;
constexpr std::size_t kKnown = 12;
// After so many inputs the people are new ones, with empty rooms.
constexpr std::size_t kPeopleLast = 256;

// Low enough to be met.
chat::CallerLimits low_limits() {
  chat::CallerLimits limits;
  limits.rates->sends = limits.rates->joins = {.burst = 20, .per_second = 20};
  limits.rates->events = {.burst = 100, .per_second = 100};
  limits.holding.connections.address = 16;
  limits.holding.bodies.address = limits.holding.attachments.address = 64 << 10;
  limits.holding.replies.address = 256 << 10;
  limits.holding.passwords.address = 2;
  limits.holding.searches.user = limits.holding.uploads.user = 1;
  return limits;
}

chat::Options options_of(World::Limits limits, const std::filesystem::path& folder) {
  chat::Options options;
  options.data_dir = folder;
  options.threads = 1;
  options.metrics = chat::MetricsAccess::on;
  options.bcrypt_cost = 4;
  options.algorithm = chat::TokenAlgorithm::hs256;
  options.secret_key = "a secret of the fuzzer's, no secret";
  options.max_upload_bytes = 100'000;
  options.user_quota_bytes = 1'000'000;
  options.min_free_bytes = 0;
  options.cors_origins = {"https://chat.example.org"};
  options.limits = limits == World::Limits::off ? chat::parse_caller_limits("off").value() : low_limits();
  // A socketpair has no address, so that any may be forwarded.
  options.trusted_proxies = {"0.0.0.0"};
  return options;
}

constexpr std::string_view kTexts[] = {
    "hello",
    "",
    "سلام دنیا",
    "می‌روم @all",
    "@ada @babbage https://example.org/@ada",
    "👩‍👩‍👧‍👦 ☕",
    "\xe2\x80\xae",
    "a\tb\nc",
    "\xff\xfe",
    "نامه",
    "ｆｕｌｌ",
    "straße İstanbul",
    "%00%ff",
    "../../etc/passwd",
    "𝔘𝔫𝔦 漢字かな",
};
constexpr std::string_view kEmoji[] = {"👍", "❤️", "👩‍👩‍👧‍👦", "x", "", "🇮🇷", "1️⃣", "\xf0\x9f"};

template <std::size_t N>
std::string one_of(const std::string_view (&list)[N], Input& in) {
  return std::string(list[in.choose(N)]);
}

}  // namespace

World::Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "payam-fuzz-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::system_category(), pattern);
  path = pattern;
}

World::Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

World::World(Limits limits) : limits_(limits) {
  application_ = std::make_unique<chat::Application>(options_of(limits, folder_.path), nullptr,
                                                     chat::open_sqlite_store({.path = ":memory:"}));
  read_documents();
  make_people();
}

World::~World() {
  control_.reset();
  const SteadyTime began = steady_now();
  application_->stop(kPatience);
  if (steady_now() - began >= kPatience) find("the application does not stop", "");
}

std::unique_ptr<Peer> World::connect() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    throw std::system_error(errno, std::system_category(), "socketpair");
  }
  application_->adopt(Descriptor(ends[1]));
  return std::make_unique<Peer>(Descriptor(ends[0]), [this](const json::value& value) { learn(value); });
}

// --- What the application says of itself -----------------------------------------------------------------------------

void World::read_documents() {
  openapi_ = call("GET", "/openapi.json").json;
  asyncapi_ = call("GET", "/asyncapi.json").json;
  for (const auto& [path, operations] : openapi_.at("paths").as_object()) {
    for (const auto& [method, operation] : operations.as_object()) {
      Route route{.method = method, .path = path, .parameters = {}, .contents = {}};
      std::ranges::transform(route.method, route.method.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      const auto& fields = operation.as_object();
      if (const auto* parameters = fields.if_contains("parameters")) {
        for (const auto& each : parameters->as_array()) {
          route.parameters.push_back({.name = std::string(each.at("name").as_string()),
                                      .in_path = each.at("in") == "path",
                                      .required = each.at("required").as_bool(),
                                      .schema = each.at("schema")});
        }
      }
      if (const auto* body = fields.if_contains("requestBody")) {
        for (const auto& [type, content] : body->at("content").as_object()) {
          route.contents.push_back({.type = type, .schema = content.at("schema")});
        }
      }
      routes_.push_back(std::move(route));
    }
  }
  for (const char* path : {"/openapi.json", "/asyncapi.json", "/metrics", "/docs", "/docs/events", "/chat", "/socket.io/",
                           "/ws/socket.io/", "/no/such/path", "*"}) {
    routes_.push_back({.method = "GET", .path = path, .parameters = {}, .contents = {}});
  }
  for (const auto& [key, operation] : asyncapi_.at("operations").as_object()) {
    if (operation.at("action") != "receive") continue;
    const auto& message = asyncapi_.at("components").at("messages").at(key).as_object();
    const auto* schema = message.if_contains("payload");
    events_.push_back({std::string(message.at("name").as_string()), schema != nullptr ? *schema : json::value(json::object())});
  }
  if (routes_.size() < 40 || events_.size() < 8) find("the documents say too little", "");
}

const json::value& World::resolve(const json::value& schema) const {
  const auto* object = schema.if_object();
  const auto* reference = object != nullptr ? object->if_contains("$ref") : nullptr;
  if (reference == nullptr) return schema;
  constexpr std::string_view kPrefix = "#/components/schemas/";
  const std::string_view name = std::string_view(reference->as_string()).substr(kPrefix.size());
  for (const auto* document : {&openapi_, &asyncapi_}) {
    const auto& schemas = document->at("components").at("schemas").as_object();
    if (const auto* found = schemas.if_contains(json::string_view(name.data(), name.size()))) return *found;
  }
  find("a schema that is not there", name);
}

// --- Calls of our own ------------------------------------------------------------------------------------------------

Reply World::call(std::string_view method, const std::string& target, const json::value& body, std::string_view token) {
  std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.{}.{}.1\r\n", method, target,
                                    names_ / 256 % 256, names_ % 256);
  if (!token.empty()) request += fmt::format("Authorization: Bearer {}\r\n", token);
  std::string text;
  if (!body.is_null()) {
    text = json::serialize(body);
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", text.size());
  }
  return exchange(request + "\r\n" + text, target);
}

Reply World::upload(std::string_view token) {
  constexpr std::string_view kBody =
      "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"notes.txt\"\r\n\r\nsome notes\r\n--x--\r\n";
  return exchange(fmt::format("POST /chat/upload_media/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: "
                              "multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n{}",
                              token, kBody.size(), kBody),
                  "an upload");
}

Reply World::exchange(const std::string& request, const std::string& what) {
  // A connection that has been idle for long is closed, perhaps just now.
  constexpr int kTries = 2;
  std::optional<Reply> reply;
  for (int i = 0; i < kTries && !reply; ++i) {
    if (!control_ || !control_->is_open()) control_ = connect();
    control_->request(request, {.what = what, .may_be_refused = true, .then = [&reply](const Reply& given) { reply = given; }});
    Peer* const peer = control_.get();
    if (!pump(std::span(&peer, 1), kPatience, [&] { return reply.has_value() || !peer->is_open(); })) break;
  }
  if (!reply) find("the application no longer answers", what);
  return *std::move(reply);
}

void World::make_people() {
  known_.clear();
  const auto expect = [](const Reply& reply, int status) {
    if (reply.status != status) find("the people cannot be made", fmt::format("{} {}", reply.status, reply.body));
    return reply.json;
  };
  for (Person& person : people_) {
    person.username = fresh_name();
    person.email = person.username + "@example.org";
    person.password = "password of " + person.username;
    expect(
        call("POST", "/auth/signup", {{"username", person.username}, {"email", person.email}, {"password", person.password}}),
        201);
    const auto tokens = expect(call("POST", "/auth/login", {{"email", person.email}, {"password", person.password}}), 200);
    person.access_token = tokens.at("access_token").as_string();
    person.refresh_token = tokens.at("refresh_token").as_string();
  }
  known_.clear();
  for (const Person& person : people_) learn("refresh_token", person.refresh_token);
  const std::string& token = people_[0].access_token;
  // The third person shares no room with the first, but for nothing.
  const json::value room{{"name", "A room"}, {"members", json::array{people_[1].email}}};
  const json::value alone{{"name", "Another"}, {"members", json::array()}};
  const std::string first(expect(call("POST", "/chat/chat_rooms/", room, token), 201).at("id").as_string());
  expect(call("POST", "/chat/private_chats/", {{"email", people_[1].email}}, token), 201);
  expect(call("POST", "/chat/chat_rooms/", alone, people_[2].access_token), 201);
  for (const char* content : {"hello @all", "سلام دنیا", "third"}) {
    expect(call("POST", "/chat/chat_rooms/" + first + "/messages", {{"content", content}}, token), 201);
  }
  expect(call("POST", "/chat/chat_rooms/" + first + "/invites", json::object(), token), 201);
  expect(call("GET", "/auth/sessions", nullptr, token), 200);
  expect(upload(token), 200);
}

bool World::people_are_well() {
  const auto says = [&](const std::string& target, const Person& person) {
    return call("GET", target, nullptr, person.access_token).status == 200;
  };
  return says("/auth/users/me", people_[2]) && says("/chat/chat_rooms/" + known("room", 0), people_[0]) &&
         says("/chat/chat_rooms/" + known("room", 0), people_[1]);
}

void World::check_answers() {
  if (call("GET", "/readyz").status != 200) find("the application is not ready", "");
}

void World::check_alive(bool touched) {
  check_answers();
  const SteadyTime deadline = steady_now() + kPatience;
  while (application_->connections() > 1) {
    if (steady_now() > deadline) find("connections are left over", std::to_string(application_->connections()));
    std::this_thread::yield();
  }
  ++age_;
  if (age_ % kPeopleLast == 0) application_->tend();
  if (age_ % kPeopleLast == 0 || (touched && !people_are_well())) make_people();
}

// --- What is known ---------------------------------------------------------------------------------------------------

void World::learn(std::string_view kind, std::string value) {
  auto& list = known_[std::string(kind)];
  if (std::ranges::find(list, value) != list.end()) return;
  if (list.size() >= kKnown) list.erase(list.begin() + kKept);
  list.push_back(std::move(value));
}

void World::learn(const json::value& value, int depth) {
  constexpr int kDeep = 4;
  constexpr std::size_t kMany = 20;
  if (depth > kDeep) return;
  if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < std::min(array->size(), kMany); ++i) learn((*array)[i], depth + 1);
  }
  const auto* object = value.if_object();
  if (object == nullptr) return;
  const auto text = [object](const char* name) -> std::optional<std::string> {
    const auto* field = object->if_contains(name);
    if (field == nullptr || !field->is_string() || field->as_string().empty()) return std::nullopt;
    return std::string(field->as_string());
  };
  if (auto id = text("id")) {
    const bool message = object->contains("seq"), upload = object->contains("file_url"), session = object->contains("device");
    const bool room = object->contains("rev") || object->contains("other_user_email");
    if (message || upload || session || room) {
      learn(message ? "message" : upload ? "upload" : session ? "session" : "room", *std::move(id));
    }
  }
  for (const char* kind : {"token", "refresh_token", "access_token", "file_url", "sid", "pid"}) {
    if (auto found = text(kind)) learn(kind, *std::move(found));
  }
  for (const auto& [name, field] : *object) {
    if (field.is_structured()) learn(field, depth + 1);
  }
}

const std::string& World::known(std::string_view kind, std::size_t index) const {
  static const std::string kNone = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const auto found = known_.find(kind);
  if (found == known_.end() || found->second.empty()) return kNone;
  return found->second[index % found->second.size()];
}

std::string World::value(std::string_view name, Input& in) {
  constexpr unsigned kOdd = 14, kOwn = 15;
  const unsigned kind = in.choose(kOwn + 1);
  if (kind == kOwn) return in.text();
  if (kind == kOdd) return one_of(kTexts, in);
  const std::size_t which = kind;
  if (name == "password" || name == "current_password" || name == "new_password") return person(which).password;
  if (name == "refresh_token" || name == "sid" || name == "pid") return known(name, which);
  if (name == "token") return which % 2 == 0 ? known(name, which / 2) : person(which / 2).access_token;
  if (name.find("email") != name.npos || name == "members")
    return which % 4 == 3 ? fresh_name() + "@example.org" : person(which).email;
  if (name == "username")
    return which == 0 ? fresh_name() : which % 2 == 0 ? person(which / 2).username : person(which / 2).email;
  if (name == "message_id" || name == "reply_to" || name == "before") return known("message", which);
  if (name == "attachments" || name == "upload") return known("upload", which);
  if (name == "session") return known("session", which);
  if (name == "room" || name == "room_id" || name == "rooms") return known("room", which);
  if (name == "id") return which < 4 ? known("room", which) : known(which % 2 == 0 ? "message" : "upload", which / 2);
  if (name == "emoji") return one_of(kEmoji, in);
  if (name == "grant_type") return which == 0 ? "password" : "refresh_token";
  if (name == "client_id") return "c" + std::to_string(which);
  if (name == "file_name") return known("file_url", which).substr(known("file_url", which).rfind('/') + 1);
  return which == 0 ? "hello" : one_of(kTexts, in);
}

std::string World::expand(std::string_view text, Input& in) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == text.npos) break;
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    const std::string_view name = text.substr(1, close == text.npos ? 0 : close - 1);
    if (name == "bearer") {
      out += person(in.choose(3)).access_token;
    } else if (name == "room" || name == "message_id" || name == "upload" || name == "refresh_token" || name == "sid" ||
               name == "file_url") {
      out += name == "file_url" ? known(name, 0) : value(name, in);
    } else {
      out += '{';
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace payam::fuzz
