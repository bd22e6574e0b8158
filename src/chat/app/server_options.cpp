#include "chat/app/server_options.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>

#include "chat/app/log.hpp"

namespace payam::chat {

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

void start_listening(http::Server& server, const Options& options) {
  try {
    server.start();
  } catch (const std::system_error& error) {
    throw std::runtime_error(
        fmt::format("cannot listen on {} port {}: {}", options.host, options.port, error.code().message()));
  }
}

}  // namespace payam::chat
