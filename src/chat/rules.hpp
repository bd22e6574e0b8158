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

// The same for absent and not mine.
inline constexpr std::string_view kRoomNotFound = "Chat room not found or access denied";
inline constexpr std::string_view kMessageNotFound = "Message not found";
inline constexpr std::string_view kInviteNotFound = "Invite not found or expired";

inline constexpr std::string_view kNoSpace = "No space left on the server";

// Whether it adds something that stays, so that it has to wait while there is little space; a new role is not counted, for it
// may be what lets an owner leave.
bool adds(const Change& change);

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

// Owners give any role, admins any but owner and to anyone but owners; a room keeps an owner.
struct Appointment {
  RoomKind kind = RoomKind::group;
  MaybeRole actor;
  MaybeRole member;  // whose role it is, before
  Role role = Role::member;
  int owners = 1;  // in the room, before
};
Result<> may_change_role(const Appointment& appointment);

Result<> may_update_room(RoomKind kind, MaybeRole actor);
Result<> may_delete_room(RoomKind kind, MaybeRole actor);

// About a message; `own` is its author's.
Result<> may_edit(MaybeRole actor, bool own, bool deleted);
Result<> may_delete(MaybeRole actor, bool own);
Result<> may_react(MaybeRole actor, bool deleted);
// `different` emojis are there already, and the new one is none of them: each is in every copy of the message from then on.
inline constexpr int kMaxEmojis = 50;
Result<> may_add_emoji(int different);
Result<> may_pin(RoomKind kind, MaybeRole actor, bool deleted);

// `removed` is the room's rev when someone else last removed the user, `made` the room's rev when the invite was made: who was
// removed comes back by a later invite only.
Result<> may_join(const Invite& invite, Timestamp now, std::optional<Rev> removed, Rev made);

// Who becomes owner when the only one is gone: the admin, or else the member, who has been there longest.
struct Candidate {
  Role role = Role::member;
  Timestamp joined_at{};
};
std::optional<std::size_t> successor(const std::vector<Candidate>& candidates);  // an index; nullopt if there is nobody

inline constexpr Millis kRefreshGrace{30'000};  // from a token's first use on; using it again does not prolong it
inline constexpr std::size_t kMostUsedTokens = 8;
RefreshUse judge_refresh(const Session& session, std::string_view presented_hash, Timestamp now);
// The session's newest token was exchanged for another.
void rotate(Session& session, const Rotation& rotation, Timestamp now);

// `$2b$12$…`: 12. nullopt if it is no bcrypt hash (`$2a$`, `$2b$` or `$2y$`).
std::optional<int> bcrypt_cost(std::string_view hash);

// The form in which usernames are compared: without case, compatibility forms taken as one (Unicode NFKC_Casefold).
std::string username_key(std::string_view username);

inline constexpr std::size_t kMaxMentionTries = 200;  // names looked up for one message

// Finds `@username` in the text: not inside a word, as an e-mail address is; the longest name wins. `is_member` is asked about
// the key (username_key) of every name that may stand there and remembers those it knows.
void find_mentions(std::string_view content, const std::function<bool(const std::string& key)>& is_member);

inline constexpr std::size_t kMaxMediaLinks = 50;  // of one message that are followed

// Ids of uploads the text links to: every `/media/{id}/{name}` in it, each once, up to kMaxMediaLinks.
std::vector<UploadId> find_media_links(std::string_view content);

}  // namespace payam::chat::rules
