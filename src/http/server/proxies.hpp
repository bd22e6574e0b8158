// Whose word counts on where a request comes from.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace payam::http {

// An IPv4-mapped address as IPv4, any other as it is.
boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

class TrustedProxies {
 public:
  // `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`. Throws std::invalid_argument that names the one it cannot read.
  explicit TrustedProxies(const std::vector<std::string>& networks);

  // Sets the request's peer and `secure` from the connection's, and from X-Forwarded-For and -Proto if a trusted proxy sent
  // them: the last hop that is not trusted is the peer.
  void apply(const boost::asio::ip::address& peer, bool secure, Request& request) const;

  bool trusts(const boost::asio::ip::address& address) const;

 private:
  struct Network {
    std::vector<unsigned char> bytes;  // 4 or 16
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
};

}  // namespace payam::http
