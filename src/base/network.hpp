// What counts as one address.
#pragma once

#include <string>

namespace payam {

// An IPv4 address, or an IPv6 /64, which is what one household gets; IPv4-mapped addresses as IPv4. Other text as it is.
std::string network_of(const std::string& address);

}  // namespace payam
