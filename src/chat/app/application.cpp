#include "chat/app/application.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "chat/api/publisher.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/rest.hpp"
#include "chat/app/log.hpp"
#include "chat/auth/key_file.hpp"
#include "chat/store/directory_lock.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "http/server/server.hpp"
#include "runtime/shard_set.hpp"
#include "web/site.hpp"

namespace payam::chat {
namespace {

constexpr int kMaxThreads = 16;
constexpr std::size_t kPasswordsWaiting = 64;  // a quarter of a second each with cost 12
constexpr std::size_t kMediaJobsWaiting = 1024;

int thread_count(const Options& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

TokenKey open_key(const Options& options) {
  if (options.algorithm == TokenAlgorithm::hs256) return TokenKey::from_secret(options.secret_key).value();
  auto key = options.jwt_key_file.empty() ? read_or_make_key_file(options.data_dir / "keys" / "jwt.pem")
                                          : read_key_file(options.jwt_key_file);
  if (!key) throw std::runtime_error(key.error().message);
  return std::move(*key);
}

std::vector<Shard*> pointers(ShardSet& shards) {
  std::vector<Shard*> list;
  for (int i = 0; i < shards.size(); ++i) list.push_back(&shards[i]);
  return list;
}

sio::Options socket_options() {
  sio::Options options;
  options.on_exception = [](std::string_view where, const std::exception& error) {
    spdlog::error("socket {}: {}", where, error.what());
  };
  return options;
}

http::ServerOptions server_options(const Options& options) {
  http::ServerOptions result;
  result.host = options.host;
  result.port = options.port;
  result.cors_origins = options.cors_origins;
  result.trusted_proxies = options.trusted_proxies;
  if (!options.tls_cert.empty()) result.tls = {options.tls_cert, options.tls_key};
  result.on_request = log_request;
  return result;
}

}  // namespace

struct Application::Parts {
  explicit Parts(const Options& options)
      : address(fmt::format("{} port {}", options.host, options.port)),
        lock(options.data_dir),
        shards(thread_count(options)),
        passwords_pool("passwords", std::max(1, thread_count(options) / 2), kPasswordsWaiting),
        media_pool("media", 2, kMediaJobsWaiting),
        store(open_sqlite_store({.path = options.data_dir / "payam.db"})),
        tokens({open_key(options)}, options.access_token_lifetime),
        passwords(passwords_pool, options.bcrypt_cost),
        io(pointers(shards), socket_options()),
        publisher(io, epochs),
        presence(shards[0], *store, tasks,
                 [this](const auto& change, const auto& audience) { publisher.announce(change, audience); }),
        read_markers(shards[0], *store, tasks, [this](const auto& news) { publisher.announce(news); }),
        accounts(*store, passwords, tokens, options.rate_limits ? &throttle : nullptr, options.signup),
        authenticator(*store, tokens, pointers(shards)),
        rooms(*store),
        messages(*store),
        files(options.data_dir / "media", media_pool),
        uploads(*store, files, options.max_upload_bytes),
        limits(options.rate_limits),
        services{*store, tokens, accounts, authenticator, rooms, messages, presence, read_markers, limits, uploads},
        realtime(io, services, epochs) {
    store->observe([this](std::span<const Commit> commits) { publisher.publish(commits); });
    http.emplace(pointers(shards), make_router(), server_options(options));
  }

  http::Router make_router() {
    http::Router router;
    auto api = api::make_api(router, services);
    api::add_auth_endpoints(api, services);
    api::add_room_endpoints(api, services);
    api::add_room_update_endpoints(api, services);
    api::add_invite_endpoints(api, services);
    api::add_message_endpoints(api, services);
    api::add_message_update_endpoints(api, services);
    api::add_search_endpoints(api, services);
    api::add_media_endpoints(api, services);
    api::add_site_endpoints(api, services, web::chat_page);
    api::add_openapi_document(api, router, PAYAM_VERSION);
    web::add_routes(router);
    io.attach(router);
    return router;
  }

  const std::string address;  // as the operator gave it
  DirectoryLock lock;
  TaskGroup tasks{[](const std::string& name, const std::exception& error) { spdlog::error("{}: {}", name, error.what()); }};
  ShardSet shards;
  // What completes to the shards ends before them.
  WorkerPool passwords_pool, media_pool;
  std::unique_ptr<Store> store;
  Tokens tokens;
  Passwords passwords;
  api::MembershipEpochs epochs;
  sio::Server io;
  api::Publisher publisher;
  Presence presence;
  LoginThrottle throttle;
  ReadMarkers read_markers;
  Accounts accounts;
  Authenticator authenticator;
  Rooms rooms;
  Messages messages;
  MediaFiles files;
  Uploads uploads;
  Limits limits;
  api::Services services;
  api::Realtime realtime;
  std::optional<http::Server> http;
};

Application::Application(const Options& options) : parts_(std::make_unique<Parts>(options)) {}
Application::~Application() = default;

void Application::start() {
  try {
    parts_->http->start();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", parts_->address, error.code().message()));
  }
}

std::uint16_t Application::port() const { return parts_->http->port(); }

void Application::stop(Millis limit) {
  const SteadyTime deadline = steady_now() + limit;
  const auto left = [deadline] { return std::max(std::chrono::ceil<Millis>(deadline - steady_now()), Millis(0)); };
  parts_->http->stop();
  parts_->io.close();
  bool drained = parts_->io.wait(left());
  drained = parts_->http->wait(left()) && drained;
  parts_->read_markers.close();
  parts_->presence.close();
  drained = parts_->tasks.wait(left()) && drained;
  if (!drained) spdlog::warn("stopped with work under way: it took longer than {} ms", limit.count());
  parts_->shards.stop();
  parts_->shards.join();  // the parts end on this thread: no loop may still be in the middle of something
}

}  // namespace payam::chat
