#include "chat/app/application.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <stdexcept>
#include <thread>

#include "chat/api/publisher.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/rest.hpp"
#include "chat/app/http_meters.hpp"
#include "chat/app/metrics.hpp"
#include "chat/app/server_options.hpp"
#include "chat/app/signing_keys.hpp"
#include "chat/app/stores.hpp"
#include "chat/service/audit.hpp"
#include "chat/store/directory_lock.hpp"
#include "runtime/disk_watch.hpp"
#include "runtime/shard_set.hpp"
#include "web/site.hpp"

namespace payam::chat {
namespace {

constexpr int kMaxThreads = 16;
constexpr std::size_t kMediaJobsWaiting = 1024;

int thread_count(const Options& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

std::unique_ptr<DirectoryLock> lock_data_dir(const Options& options) {
  return options.uses_data_dir() ? std::make_unique<DirectoryLock>(options.data_dir) : nullptr;
}

SigningKeys open_keys(const Options& options, mongo::Client* database) {
  auto keys = read_signing_keys(options, database, wall_now());
  if (!keys) throw std::runtime_error(keys.error().message);
  return std::move(*keys);
}

PasswordDenylist read_denylist(const Options& options) {
  return options.password_denylist.empty() ? PasswordDenylist() : PasswordDenylist::read(options.password_denylist);
}

std::vector<Shard*> pointers(ShardSet& shards) {
  std::vector<Shard*> list;
  for (int i = 0; i < shards.size(); ++i) list.push_back(&shards[i]);
  return list;
}

// `limits` may be null.
sio::Options socket_options(const HoldingLimits& holding, EntryLimits* limits, const Tokens& tokens) {
  sio::Options options;
  options.extra_paths = {"/ws/socket.io/"};  // of the original's earlier clients
  options.polling_connections = holding.connections;
  options.incoming_bytes = holding.bodies;
  options.outgoing_bytes = holding.replies;
  options.attachment_bytes = holding.attachments;
  options.connection_state_recovery = api::recovery_for_who_asks(tokens);
  if (limits != nullptr) {
    options.wait_before_handshake = [limits](const http::Request& request) {
      return limits->handshakes.take(network_of(request.peer), steady_now());
    };
  }
  options.on_exception = [](std::string_view where, const std::exception& error) {
    log::error("socket_failed", {{"where", where}, {"error", error.what()}});
  };
  return options;
}

// Only a file system of this machine is watched.
std::unique_ptr<DiskWatch> watch_disk(const Options& options, DiskReserve& reserve) {
  return options.uses_data_dir() ? std::make_unique<DiskWatch>(options.data_dir, reserve) : nullptr;
}

http::ServerOptions metered(http::ServerOptions options, HttpMeters& meters) {
  options.on_request = [&meters, log = std::move(options.on_request)](const http::RequestRecord& record) {
    meters.count(record);
    log(record);
  };
  return options;
}

}  // namespace

struct Application::Parts {
  Parts(const Options& o, mongo::Client* d, std::unique_ptr<Store> given)
      : options(o),
        database(d),
        lock(lock_data_dir(options)),
        disk(options.min_free_bytes),
        disk_watch(watch_disk(options, disk)),
        shards(thread_count(options)),
        passwords_pool("passwords", std::max(1, thread_count(options) / 2), options.limits.holding.passwords.total),
        media_pool("media", 2, kMediaJobsWaiting),
        store(given ? std::move(given) : open_store(options, database, disk)),
        keys(open_keys(options, database)),
        tokens(std::move(keys.key), options.access_token_lifetime, std::move(keys.retired)),
        passwords(passwords_pool, options.bcrypt_cost, options.limits.holding.passwords),
        entry_limits(options.limits.rates ? std::make_unique<EntryLimits>(*options.limits.rates) : nullptr),
        io(pointers(shards), socket_options(options.limits.holding, entry_limits.get(), tokens)),
        publisher(io, epochs),
        presence(shards[0], *store, tasks,
                 [this](const auto& change, const auto& audience) { publisher.announce(change, audience); }),
        read_markers(shards[0], *store, tasks, [this](const auto& news) { publisher.announce(news); }),
        authenticator(*store, tokens, pointers(shards)),
        sessions(
            *store, tokens, authenticator, [this](const auto& whose, SessionEnd why) { publisher.close(whose, why); }, wall_now,
            options.session_idle_time),
        accounts(*store, passwords, tokens, authenticator, sessions, entry_limits.get(),
                 {options.signup, options.directory, wall_now, read_denylist(options)}),
        rooms(*store),
        messages(*store, wall_now, options.limits.holding.searches),
        media(open_media(options, database, media_pool)),
        uploads(*store, *media, {options.max_upload_bytes, options.user_quota_bytes, options.limits.holding.uploads},
                options.media_store == MediaKind::directory ? &disk : nullptr),
        limits(options.limits.rates),
        services{*store, tokens, accounts, authenticator, sessions, rooms, messages, presence, read_markers, limits, uploads},
        event_meters(shards.size()),
        http_meters(shards.size()),
        realtime(io, services, epochs, event_meters) {
    store->observe([this](std::span<const Commit> commits) {
      publisher.publish(commits);
      log_role_changes(commits);
    });
    http.emplace(pointers(shards), make_router(), metered(server_options(options), http_meters));
  }

  void refresh_keys();
  void log_disk();
  // Not on a shard.
  void run(Task<> task) { asio::co_spawn(shards[0].executor(), std::move(task), asio::use_future).get(); }

  http::Router make_router() {
    http::Router router;
    auto api = api::make_api(router, services);
    api::add_endpoints(api, services);
    api::add_site_endpoints(api, services, web::chat_page, database == nullptr ? api::Health::with_store : api::Health::alone);
    api::add_openapi_document(api, router, PAYAM_VERSION);
    api::add_asyncapi_document(router, realtime.document(PAYAM_VERSION));
    add_metrics(router, options,
                {io, *store, event_meters, http_meters, messages, uploads, limits, entry_limits.get(), passwords,
                 passwords_pool, media_pool, disk_watch ? &disk : nullptr, http});
    web::add_routes(router);
    io.attach(router);
    return router;
  }

  const Options options;
  mongo::Client* const database;              // null: embedded
  const std::unique_ptr<DirectoryLock> lock;  // null: nothing is kept there
  DiskReserve disk;
  const std::unique_ptr<DiskWatch> disk_watch;  // null: nothing is kept there
  bool disk_is_low = false;                     // as the log was told
  TaskGroup tasks{[](const std::string& name, const std::exception& error) {
    log::error("task_failed", {{"task", name}, {"error", error.what()}});
  }};
  ShardSet shards;
  // What completes to the shards ends before them.
  WorkerPool passwords_pool, media_pool;
  std::unique_ptr<Store> store;
  SigningKeys keys;  // until `tokens` has them; after the store, so that none is made where the store refuses to be served
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
  std::unique_ptr<MediaStore> media;
  Uploads uploads;
  Limits limits;
  api::Services services;
  EventMeters event_meters;
  HttpMeters http_meters;
  api::Realtime realtime;
  std::optional<http::Server> http;
};

Application::Application(const Options& options, mongo::Client* database, std::unique_ptr<Store> store)
    : parts_(std::make_unique<Parts>(options, database, std::move(store))) {}
Application::~Application() = default;

void Application::start() {
  Parts& parts = *parts_;
  parts.tasks.spawn(parts.shards[0].executor(), "password_costs", parts.accounts.learn_password_costs());
  start_listening(*parts.http, parts.options);
}

std::uint16_t Application::port() const { return parts_->http->port(); }

void Application::adopt(Descriptor socket) { parts_->http->adopt(std::move(socket)); }

std::size_t Application::connections() const { return parts_->http->connections(); }

void Application::tend() {
  Parts& parts = *parts_;
  const Timestamp now = wall_now();
  struct Duty {
    std::string_view name;
    std::function<void()> perform;
  };
  const Duty duties[] = {
      {"disk space", [&] { parts.log_disk(); }},
      {"signing keys", [&] { parts.refresh_keys(); }},
      {"torn uploads", [&] { parts.media->sweep(now); }},
      {"unused uploads", [&] { parts.run(parts.uploads.sweep_unused(now)); }},
      {"orphaned uploads", [&] { parts.run(parts.uploads.sweep_orphans(parts.media->next_kept(now - Uploads::kUnusedFor))); }},
      {"idle sessions", [&] { parts.run(parts.sessions.end_idle()); }},
      {"attempts to sign in", [&] { parts.accounts.tend(); }}};
  for (const Duty& duty : duties) {
    try {
      duty.perform();
    } catch (const std::exception& error) {
      log::warn("duty_failed", {{"duty", duty.name}, {"error", error.what()}});
    }
  }
}

void Application::Parts::log_disk() {
  if (!disk_watch) return;
  const bool low = !disk.has_room_for_files(1);
  if (std::exchange(disk_is_low, low) == low) return;
  if (low) {
    log::warn("disk_low", {{"free_bytes", disk.free()},
                           {"kept_free_bytes", disk.reserve()},
                           {"hint", "uploads are refused; messages too below a quarter of what is kept free"}});
  } else {
    log::info("disk_has_room", {{"free_bytes", disk.free()}});
  }
}

void Application::Parts::refresh_keys() {
  auto fresh = read_signing_keys(options, database, wall_now());
  if (!fresh) return log::error("keys_not_read", {{"error", fresh.error().message}});
  const std::string id = fresh->key.id();
  if (id != tokens.key_id()) log::info("key_changed", {{"key", id}});
  tokens.replace_keys(std::move(fresh->key), std::move(fresh->retired));
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
  if (!drained) log::warn("stopped_with_work_under_way", {{"after_ms", limit.count()}});
  parts_->shards.stop();
  parts_->shards.join();  // the parts end on this thread: no loop may still be in the middle of something
}

}  // namespace payam::chat
