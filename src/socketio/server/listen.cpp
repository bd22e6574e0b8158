#include "http/server/server.hpp"
#include "socketio/server/server_impl.hpp"

namespace payam::sio::detail {

std::uint16_t ServerImpl::listen(const std::string& host, std::uint16_t port) {
  http::Router router;
  attach(router);
  http::ServerOptions options;
  options.host = host;
  options.port = port;
  auto listener = std::make_unique<http::Server>(core->shards, std::move(router), std::move(options));
  listener->start();
  const std::uint16_t bound = listener->port();
  listeners_.push_back(std::move(listener));
  return bound;
}

}  // namespace payam::sio::detail
