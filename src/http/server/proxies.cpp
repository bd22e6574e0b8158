#include "http/server/proxies.hpp"

#include <charconv>
#include <stdexcept>

namespace payam::http {
namespace {

namespace ip = boost::asio::ip;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<unsigned char> bytes_of(const ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`
std::optional<ip::address> parse_hop(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (const auto colon = text.find(':'); colon != text.rfind(':')) {
    // IPv6 without brackets has no port
  } else {
    text = text.substr(0, colon);
  }
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return unmapped(address);
}

// All fields of that name as one list, the nearest hop last.
std::vector<std::string_view> hops(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> list;
  for (const auto& [key, value] : headers.all()) {
    if (!equals_ignoring_case(key, name)) continue;
    std::string_view rest = value;
    for (;;) {
      const auto comma = rest.find(',');
      list.push_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return list;
}

}  // namespace

ip::address unmapped(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const auto& text : networks) {
    const auto slash = text.find('/');
    boost::system::error_code error;
    const auto address = ip::make_address(text.substr(0, slash), error);
    if (error) throw std::invalid_argument("not a network: " + text);
    Network network{bytes_of(address), 0};
    network.bits = static_cast<unsigned>(network.bytes.size() * 8);
    if (slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      unsigned bits = 0;
      const auto parsed = std::from_chars(text.data() + slash + 1, end, bits);
      if (parsed.ec != std::errc{} || parsed.ptr != end || bits > network.bits) {
        throw std::invalid_argument("not a network: " + text);
      }
      network.bits = bits;
    }
    networks_.push_back(std::move(network));
  }
}

bool TrustedProxies::trusts(const ip::address& address) const {
  const auto bytes = bytes_of(address);
  for (const auto& network : networks_) {
    if (network.bytes.size() != bytes.size()) continue;
    bool inside = true;
    for (unsigned bit = 0; bit < network.bits && inside; bit += 8) {
      const unsigned left = network.bits - bit;
      const auto mask = static_cast<unsigned char>(left >= 8 ? 0xff : 0xff << (8 - left));
      inside = ((bytes[bit / 8] ^ network.bytes[bit / 8]) & mask) == 0;
    }
    if (inside) return true;
  }
  return false;
}

void TrustedProxies::apply(const ip::address& peer, bool secure, Request& request) const {
  request.secure = secure;
  auto address = peer;
  if (!networks_.empty() && trusts(address)) {
    auto list = hops(request.headers, "X-Forwarded-For");
    while (!list.empty() && trusts(address)) {
      const auto hop = parse_hop(list.back());
      if (!hop) break;
      address = *hop;
      list.pop_back();
    }
    const auto protocols = hops(request.headers, "X-Forwarded-Proto");
    if (!protocols.empty()) request.secure = equals_ignoring_case(protocols.back(), "https");
  }
  request.peer = address.to_string();
}

}  // namespace payam::http
