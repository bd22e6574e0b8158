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
#include "chat/app/signing_keys.hpp"
#include "chat/media/media_files.hpp"
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

SigningKeys open_keys(const Options& options) {
  auto keys = read_signing_keys(options, wall_now());
  if (!keys) throw std::runtime_error(keys.error().message);
  return std::move(*keys);
}

std::vector<Shard*> pointers(ShardSet& shards) {
  std::vector<Shard*> list;
  for (int i = 0; i < shards.size(); ++i) list.push_back(&shards[i]);
  return list;
}

// `limits` may be null.
sio::Options socket_options(EntryLimits* limits) {
  sio::Options options;
  if (limits != nullptr) {
    options.wait_before_handshake = [limits](const http::Request& request) {
      return limits->handshakes.take(network_of(request.peer), steady_now());
    };
  }
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
        keys(open_keys(options)),
        shards(thread_count(options)),
        passwords_pool("passwords", std::max(1, thread_count(options) / 2), kPasswordsWaiting),
        media_pool("media", 2, kMediaJobsWaiting),
        store(open_sqlite_store({.path = options.data_dir / "payam.db"})),
        tokens(std::move(keys.key), options.access_token_lifetime, std::move(keys.retired)),
        passwords(passwords_pool, options.bcrypt_cost),
        entry_limits(options.rate_limits ? std::make_unique<EntryLimits>() : nullptr),
        io(pointers(shards), socket_options(entry_limits.get())),
        publisher(io, epochs),
        presence(shards[0], *store, tasks,
                 [this](const auto& change, const auto& audience) { publisher.announce(change, audience); }),
        read_markers(shards[0], *store, tasks, [this](const auto& news) { publisher.announce(news); }),
        authenticator(*store, tokens, pointers(shards)),
        sessions(*store, tokens, authenticator, [this](const auto& whose, SessionEnd why) { publisher.close(whose, why); }),
        accounts(*store, passwords, tokens, authenticator, sessions, entry_limits.get(), {options.signup, options.directory}),
        rooms(*store),
        messages(*store),
        files(options.data_dir / "media", media_pool),
        uploads(*store, files, {.file = options.max_upload_bytes}),
        limits(options.rate_limits),
        services{*store, tokens, accounts, authenticator, sessions, rooms, messages, presence, read_markers, limits, uploads},
        realtime(io, services, epochs) {
    store->observe([this](std::span<const Commit> commits) { publisher.publish(commits); });
    http.emplace(pointers(shards), make_router(), server_options(options));
  }

  http::Router make_router() {
    http::Router router;
    auto api = api::make_api(router, services);
    api::add_auth_endpoints(api, services);
    api::add_session_endpoints(api, services);
    api::add_user_endpoints(api, services);
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
  SigningKeys keys;  // until `tokens` has them
  TaskGroup tasks{[](const std::string& name, const std::exception& error) { spdlog::error("{}: {}", name, error.what()); }};
  ShardSet shards;
  // What completes to the shards ends before them.
  WorkerPool passwords_pool, media_pool;
  std::unique_ptr<Store> store;
  Tokens tokens;
  Passwords passwords;
  const std::unique_ptr<EntryLimits> entry_limits;  // null: off
  api::MembershipEpochs epochs;
  sio::Server io;
  api::Publisher publisher;
  Presence presence;
  ReadMarkers read_markers;
  Authenticator authenticator;
  Sessions sessions;
  Accounts accounts;
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

void Application::refresh_keys(const Options& options) {
  auto keys = read_signing_keys(options, wall_now());
  if (!keys) return spdlog::error("the keys stay as they are: {}", keys.error().message);
  const std::string id = keys->key.id();
  if (id != parts_->tokens.key_id()) spdlog::info("tokens are signed with the key {} from now on", id);
  parts_->tokens.replace_keys(std::move(keys->key), std::move(keys->retired));
}

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
