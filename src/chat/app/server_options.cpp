#include "chat/app/server_options.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "chat/app/log.hpp"
#include "chat/service/log.hpp"

namespace payam::chat {
namespace {

constexpr std::uint64_t kOtherDescriptors = 256;

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : Budget::kUnbounded;
}

}  // namespace

Budget::Bounds within_descriptors(Budget::Bounds connections, std::uint64_t descriptors) {
  const std::uint64_t others = std::min<std::uint64_t>(kOtherDescriptors, descriptors / 2);
  connections.total = std::min(connections.total, descriptors - others);
  if (connections.address != Budget::kUnbounded) connections.address = std::min(connections.address, connections.total / 2);
  return connections;
}

http::ServerOptions server_options(const Options& options) {
  http::ServerOptions result;
  result.host = options.host;
  result.port = options.port;
  result.cors_origins = options.cors_origins;
  result.trusted_proxies = options.trusted_proxies;
  if (!options.tls_cert.empty()) result.tls = {options.tls_cert, options.tls_key};
  const HoldingLimits& holding = options.limits.holding;
  result.limits.connections = within_descriptors(holding.connections, descriptor_limit());
  result.limits.bodies = holding.bodies;
  result.limits.replies = holding.replies;
  result.https_only = options.public_url.starts_with("https://");
  result.on_request = log_request;
  result.on_forwarding_ignored = [](const std::string& peer) {
    log::warn("forwarded_not_trusted", {{"peer", peer}, {"hint", "if it is your proxy, name it in TRUSTED_PROXIES"}});
  };
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
