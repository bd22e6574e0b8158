#include "chat/rules.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <variant>

namespace payam::chat::rules {
namespace {

bool is_manager(Role role) { return role == Role::owner || role == Role::admin; }

bool is_word(UChar32 character) {
  return character == '_' || u_isalnum(character) || (U_GET_GC_MASK(character) & U_GC_M_MASK) != 0;
}

constexpr std::string_view kNotAMember = "Not a member of this room";
constexpr std::string_view kKeepsAnOwner = "A room keeps an owner";
constexpr std::string_view kMessageDeleted = "The message was deleted";

constexpr int kMaxName = 64;  // code points; longer usernames are not made

// The code point at `at`, which moves behind it; negative for a byte that is not UTF-8.
UChar32 next_character(std::string_view text, std::size_t& at) {
  UChar32 character;
  U8_NEXT(text.data(), at, text.size(), character);
  return character;
}

// Where a name that begins at `start` may end, the longest first: no name holds white space or an `@`, and none ends within a
// word.
std::vector<std::size_t> name_ends(std::string_view content, std::size_t start) {
  std::vector<std::size_t> ends;
  bool after_word = false;
  std::size_t at = start;
  for (int count = 0; count <= kMaxName; ++count) {
    std::size_t next = at;
    const UChar32 character = at < content.size() ? next_character(content, next) : ' ';
    const bool ended = character < 0 || character == '@' || u_isUWhiteSpace(character);
    const bool word = !ended && is_word(character);
    if (at > start && !(after_word && word)) ends.push_back(at);
    if (ended) break;
    after_word = word;
    at = next;
  }
  std::ranges::reverse(ends);
  return ends;
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

bool adds(const Change& change) {
  return std::visit(
      []<class T>(const T& kind) {
        constexpr bool removes = std::is_same_v<T, RemoveMember> || std::is_same_v<T, DeleteRoom> ||
                                 std::is_same_v<T, DeleteMessage> || std::is_same_v<T, ChangeRole>;
        if constexpr (removes) {
          return false;
        } else if constexpr (std::is_same_v<T, React> || std::is_same_v<T, PinMessage>) {
          return kind.on;
        } else {
          return true;
        }
      },
      change);
}

Result<> may_send(MaybeRole actor) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  return {};
}

Result<> may_add_members(RoomKind kind, MaybeRole actor) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (kind == RoomKind::direct) return fail(Errc::conflict, "A private chat has two members");
  if (!is_manager(*actor)) return fail(Errc::forbidden, "Only owners and admins add members");
  return {};
}

Result<> may_remove_member(const Removal& removal) {
  if (!removal.actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (removal.kind == RoomKind::direct) return fail(Errc::conflict, "A private chat has two members");
  if (!removal.leaving) {
    if (!is_manager(*removal.actor)) return fail(Errc::forbidden, "Only owners and admins remove members");
    if (!removal.removed) return fail(Errc::not_found, std::string(kNotAMember));
    if (*removal.removed == Role::owner && *removal.actor != Role::owner) {
      return fail(Errc::forbidden, "Only an owner removes an owner");
    }
  }
  if (removal.removed == Role::owner && removal.owners <= 1) {
    return fail(Errc::conflict, std::string(kKeepsAnOwner));
  }
  return {};
}

Result<> may_change_role(const Appointment& appointment) {
  if (!appointment.actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (appointment.kind == RoomKind::direct) return fail(Errc::conflict, "A private chat has no roles");
  if (!is_manager(*appointment.actor)) return fail(Errc::forbidden, "Only owners and admins change roles");
  if (!appointment.member) return fail(Errc::not_found, std::string(kNotAMember));
  if (*appointment.actor != Role::owner && (*appointment.member == Role::owner || appointment.role == Role::owner)) {
    return fail(Errc::forbidden, "Only an owner makes or unmakes an owner");
  }
  if (appointment.member == Role::owner && appointment.role != Role::owner && appointment.owners <= 1) {
    return fail(Errc::conflict, std::string(kKeepsAnOwner));
  }
  return {};
}

Result<> may_update_room(RoomKind kind, MaybeRole actor) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (kind == RoomKind::direct) return fail(Errc::conflict, "A private chat has neither name nor topic");
  if (!is_manager(*actor)) return fail(Errc::forbidden, "Only owners and admins change the room");
  return {};
}

Result<> may_delete_room(RoomKind kind, MaybeRole actor) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (kind == RoomKind::direct) return fail(Errc::conflict, "A private chat can be hidden, not deleted");
  if (*actor != Role::owner) return fail(Errc::forbidden, "Only an owner deletes the room");
  return {};
}

Result<> may_edit(MaybeRole actor, bool own, bool deleted) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (!own) return fail(Errc::forbidden, "Only its author edits a message");
  if (deleted) return fail(Errc::conflict, std::string(kMessageDeleted));
  return {};
}

Result<> may_delete(MaybeRole actor, bool own) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (!own && !is_manager(*actor)) return fail(Errc::forbidden, "Only its author, an admin or an owner deletes a message");
  return {};
}

Result<> may_react(MaybeRole actor, bool deleted) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (deleted) return fail(Errc::conflict, std::string(kMessageDeleted));
  return {};
}

Result<> may_add_emoji(int different) {
  if (different >= kMaxEmojis) return fail(Errc::conflict, "The message has too many different reactions");
  return {};
}

Result<> may_pin(RoomKind kind, MaybeRole actor, bool deleted) {
  if (!actor) return fail(Errc::not_member, std::string(kRoomNotFound));
  if (kind == RoomKind::group && !is_manager(*actor)) return fail(Errc::forbidden, "Only owners and admins pin messages");
  if (deleted) return fail(Errc::conflict, std::string(kMessageDeleted));
  return {};
}

Result<> may_join(const Invite& invite, Timestamp now, std::optional<Rev> removed, Rev made) {
  if (invite.expires_at && now >= *invite.expires_at) return fail(Errc::not_found, std::string(kInviteNotFound));
  if (invite.uses_left && *invite.uses_left <= 0) return fail(Errc::conflict, "The invite is used up");
  if (removed && *removed > made) return fail(Errc::forbidden, "You were removed from this room: ask for a new invite");
  return {};
}

std::optional<std::size_t> successor(const std::vector<Candidate>& candidates) {
  if (candidates.empty()) return std::nullopt;
  const auto before = [](const Candidate& left, const Candidate& right) {
    return left.role != right.role ? left.role > right.role : left.joined_at < right.joined_at;
  };
  return static_cast<std::size_t>(std::ranges::min_element(candidates, before) - candidates.begin());
}

RefreshUse judge_refresh(const Session& session, std::string_view presented_hash, Timestamp now) {
  if (presented_hash == session.refresh_hash) return RefreshUse::current;
  const auto used = std::ranges::find(session.used, presented_hash, &UsedToken::hash);
  return used != session.used.end() && now - used->at <= kRefreshGrace ? RefreshUse::again : RefreshUse::reuse;
}

void rotate(Session& session, const Rotation& rotation, Timestamp now) {
  // From the front alone, whatever the clocks of several servers say: each token leads to the next one.
  auto& used = session.used;
  while (!used.empty() && (now - used.front().at > kRefreshGrace || used.size() >= kMostUsedTokens)) used.erase(used.begin());
  used.push_back({rotation.presented_hash, now, rotation.sealed_next});
  session.refresh_hash = rotation.next_hash;
  session.last_used_at = now;
}

std::optional<int> bcrypt_cost(std::string_view hash) {
  const bool is_bcrypt =
      hash.size() == 60 && (hash.starts_with("$2b$") || hash.starts_with("$2a$") || hash.starts_with("$2y$"));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!is_bcrypt || !is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$') return std::nullopt;
  return (hash[4] - '0') * 10 + (hash[5] - '0');
}

std::string username_key(std::string_view username) {
  std::string key;
  if (std::ranges::all_of(username, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    key = username;
    for (char& c : key) {
      if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    }
    return key;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* folding = icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_SUCCESS(error)) {
    icu::StringByteSink<std::string> sink(&key);
    folding->normalizeUTF8(0, icu::StringPiece(username.data(), static_cast<int32_t>(username.size())), sink, nullptr, error);
  }
  if (U_FAILURE(error)) throw std::runtime_error(std::string("ICU: ") + u_errorName(error));
  return key;
}

void find_mentions(std::string_view content, const std::function<bool(const std::string& key)>& is_member) {
  std::size_t tries = 0;
  bool after_word = false;
  for (std::size_t at = 0; at < content.size();) {
    const UChar32 character = next_character(content, at);
    if (character != '@' || after_word) {
      after_word = character >= 0 && is_word(character);
      continue;
    }
    for (const std::size_t end : name_ends(content, at)) {
      if (++tries > kMaxMentionTries) return;
      if (!is_member(username_key(content.substr(at, end - at)))) continue;
      at = end;
      after_word = true;
      break;
    }
  }
}

std::vector<UploadId> find_media_links(std::string_view content) {
  constexpr std::string_view kPrefix = "/media/";
  std::vector<UploadId> links;
  for (std::size_t at = content.find(kPrefix); at != std::string_view::npos; at = content.find(kPrefix, at)) {
    at += kPrefix.size();
    const auto id =
        content.substr(at, std::ranges::find_if_not(content.substr(at), is_id_character) - content.substr(at).begin());
    const std::string_view rest = content.substr(at + id.size());
    const bool has_name = rest.size() >= 2 && rest[0] == '/' && static_cast<unsigned char>(rest[1]) > ' ' && rest[1] != '/';
    if (id.empty() || !has_name) continue;
    const UploadId link{std::string(id)};
    if (std::ranges::find(links, link) == links.end()) links.push_back(link);
    if (links.size() == kMaxMediaLinks) break;
  }
  return links;
}

}  // namespace payam::chat::rules
