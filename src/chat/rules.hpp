// The chat's rules, as pure functions over what the store has read inside the commit. A rule stands here once; stores call it,
// handlers and services hold none.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"

namespace payam::chat::rules {

inline constexpr std::string_view kRoomNotFound = "Chat room not found or access denied";  // the same for absent and not mine

// An actor's role in the room; nullopt if not a member.
using MaybeRole = std::optional<Role>;

Result<> may_send(MaybeRole actor);
Result<> may_add_members(RoomKind kind, MaybeRole actor);

// Owners remove anyone, admins anyone but owners, everyone may leave; a room keeps an owner; nobody leaves a direct room.
struct Removal {
  RoomKind kind = RoomKind::group;
  MaybeRole actor;
  MaybeRole removed;
  bool leaving = false;  // the actor is the one removed
  int owners = 1;        // in the room, before
};
Result<> may_remove_member(const Removal& removal);

// The form in which usernames are compared: without case, compatibility forms taken as one (Unicode NFKC_Casefold).
std::string username_key(std::string_view username);

inline constexpr std::size_t kMaxMentionTries = 200;  // names looked up for one message

// Finds `@username` in the text: not inside a word, as an e-mail address is; the longest name wins. `is_member` is asked about
// the key (username_key) of every name that may stand there and remembers those it knows.
void find_mentions(std::string_view content, const std::function<bool(const std::string& key)>& is_member);

// Ids of uploads the text links to: every `/media/{id}/{name}` in it, each once.
std::vector<UploadId> find_media_links(std::string_view content);

}  // namespace payam::chat::rules
