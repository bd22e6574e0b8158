#include "chat/app/waiting_room.hpp"

#include "chat/app/server_options.hpp"
#include "http/api/refusal.hpp"

namespace payam::chat {
namespace {

constexpr Millis kGoodbyeTime{1'000};

Task<http::Response> not_yet(Shard&, http::Request&) {
  co_return http::refuse(Error{Errc::unavailable, "The server waits for its database"});
}

Task<http::Response> alive(Shard&, http::Request&) { co_return http::Response::json(200, R"({"status":"ok"})"); }

http::Router make_router() {
  http::Router router;
  router.add(http::Method::get, "/healthz", alive);
  router.add_any("/", not_yet);
  router.add_any("/{path...}", not_yet);
  return router;
}

}  // namespace

WaitingRoom::WaitingRoom(const Options& options) : http_({&shards_[0]}, make_router(), server_options(options)) {
  start_listening(http_, options);
}

WaitingRoom::~WaitingRoom() {
  http_.stop();
  http_.wait(kGoodbyeTime);
  shards_.stop();
  shards_.join();
}

}  // namespace payam::chat
