// Lines of the log about who got which rights, from the commits: whatever the door, and whoever became owner as the only one's
// account was erased.
#pragma once

#include <span>

#include "chat/model.hpp"

namespace payam::chat {

void log_role_changes(std::span<const Commit> commits);

}  // namespace payam::chat
