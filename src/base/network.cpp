#include "base/network.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace payam {

std::string network_of(const std::string& address) {
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return address;
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    return fmt::format("{}.{}.{}.{}", bytes.s6_addr[12], bytes.s6_addr[13], bytes.s6_addr[14], bytes.s6_addr[15]);
  }
  std::fill(bytes.s6_addr + 8, bytes.s6_addr + 16, 0);
  char text[INET6_ADDRSTRLEN];
  return std::string(inet_ntop(AF_INET6, &bytes, text, sizeof text)) + "/64";
}

}  // namespace payam
