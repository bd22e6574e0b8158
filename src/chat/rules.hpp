// The chat's rules, as pure functions over what the store has read inside the commit. A rule stands here once; stores call it,
// handlers and services hold none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"

namespace payam::chat::rules {

inline constexpr std::string_view kRoomNotFound = "Chat room not found or access denied";  // the same for absent and not mine

// `members` are the room's, `member` the one who acts; null if not a member.

Result<> may_send(const Member* member);
Result<> may_add_members(const Room& room, const Member* actor);
// Owners remove anyone, admins anyone but owners, everyone may leave; a room keeps an owner; nobody leaves a direct room.
Result<> may_remove_member(const Room& room, const std::vector<Member>& members, const Member* actor, const Member* removed);

// E-mails of members named as `@username` in the text (usernames without case, the longest wins), each once, in order.
std::vector<std::string> find_mentions(std::string_view content, const std::vector<Member>& members);

// Ids of uploads the text links to: every `/media/{id}/{name}` in it, each once.
std::vector<UploadId> find_media_links(std::string_view content);

}  // namespace payam::chat::rules
