// The time of day as services ask it, so that tests can set it.
#pragma once

#include "base/clock.hpp"

namespace payam::chat {

using WallClock = Timestamp (*)();

}  // namespace payam::chat
