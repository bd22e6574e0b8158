// ULIDs: 26 characters of Crockford's base 32, 48 bits of milliseconds then 80 random bits, so they sort by creation.
// https://github.com/ulid/spec
#pragma once

#include <array>
#include <string>

#include "base/clock.hpp"

namespace payam {

using UlidEntropy = std::array<unsigned char, 10>;

std::string make_ulid(Timestamp now, const UlidEntropy& entropy);

// With fresh entropy. Within one millisecond on one thread each id is greater than the one before (the specification's
// monotonic factory), also when the clock steps back.
std::string new_ulid(Timestamp now = wall_now());

}  // namespace payam
