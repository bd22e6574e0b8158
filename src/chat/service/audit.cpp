#include "chat/service/audit.hpp"

#include "chat/service/log.hpp"

namespace payam::chat {
namespace {

const char* name_of(Role role) {
  switch (role) {
    case Role::member: return "member";
    case Role::admin: return "admin";
    case Role::owner: return "owner";
  }
  return "";
}

}  // namespace

void log_role_changes(std::span<const Commit> commits) {
  for (const Commit& commit : commits) {
    const auto* change = std::get_if<RoleChanged>(&commit.entry.body);
    if (change == nullptr || commit.repeated) continue;
    log::info("role_changed", {{"room", commit.entry.room.str()},
                               {"user", change->member.user.str()},
                               {"role", name_of(change->member.role)},
                               {"by", commit.entry.actor.str()}});
  }
}

}  // namespace payam::chat
