// How requests reach a server: by an HTTP server of its own, or one by one from the application's.
#include <algorithm>
#include <cassert>

#include "http/server/server.hpp"
#include "socketio/server/server_impl.hpp"

namespace payam::sio::detail {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

std::uint16_t ServerImpl::listen(const std::string& host, std::uint16_t port, const std::optional<Tls>& tls) {
  http::Router router;
  attach(router);
  http::ServerOptions options;
  options.host = host;
  options.port = port;
  if (tls) {
    http::ServerOptions::Tls files;
    files.certificate_file = tls->certificate_file;
    files.key_file = tls->key_file;
    options.tls = std::move(files);
  }
  auto listener = std::make_unique<http::Server>(core->shards, std::move(router), std::move(options));
  listener->start();
  const std::uint16_t bound = listener->port();
  listeners_.push_back(std::move(listener));
  return bound;
}

bool ServerImpl::handles(std::string_view target) const {
  return own_routes_.match(http::Method::get, path_of(target)).route != nullptr;
}

Task<http::Response> ServerImpl::handle(http::Request& request) {
  const auto match = own_routes_.match(request.method, path_of(request.target));
  if (match.route == nullptr) co_return http::Response::text(404, "Not Found");
  if (request.body.size() > core->options.max_http_buffer_size) {
    auto response = http::Response::text(413, "");
    response.close = true;
    co_return response;
  }
  request.params = match.params;
  co_return co_await match.route->serve(here(), request);
}

Shard& ServerImpl::here() const {
  const auto found = std::ranges::find_if(core->shards, [](Shard* shard) { return shard->here(); });
  assert(found != core->shards.end());
  return **found;
}

}  // namespace payam::sio::detail
