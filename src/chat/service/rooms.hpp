// Rooms, their members, and the invites to them. The rules are the store's to ask (rules.hpp); here ids and times are made. Any
// shard.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

struct Opened {
  RoomState state;
  bool is_new = false;
};

// The token is told once: the store keeps its hash.
struct NewInvite {
  std::string token;
  Invite invite;
};

class Rooms {
 public:
  static constexpr int kMessagesShown = 50;

  // `store` outlives this.
  explicit Rooms(Store& store, WallClock clock = wall_now) : store_(store), clock_(clock) {}

  // E-mails are lower case. Errc::bad_request names one that nobody has, and nothing is created.
  Task<Result<RoomState>> create(UserId creator, std::string name, std::vector<std::string> member_emails);
  // The one private chat of a pair. Errc::bad_request: nobody has this e-mail, or it is one's own.
  Task<Result<Opened>> open_direct(UserId from, std::string to_email);

  // The room with its newest messages.
  Task<Result<RoomView>> find(RoomId room, UserId viewer);
  Task<std::vector<RoomSummary>> list(UserId user, RoomKind kind);

  Task<Result<RoomState>> add_members(RoomId room, UserId actor, std::vector<std::string> emails);
  // Also how one leaves.
  Task<Result<>> remove_member(RoomId room, UserId actor, std::string email);
  Task<Result<RoomState>> change_role(RoomId room, UserId actor, std::string email, Role role);

  // What is not given stays.
  Task<Result<RoomState>> update(RoomId room, UserId actor, std::optional<std::string> name, std::optional<std::string> topic);
  Task<Result<>> erase(RoomId room, UserId actor);
  // Takes a private chat from the user's own list until its next message.
  Task<Result<>> hide_direct(RoomId room, UserId user);

  // A link's token: `invite.uses_left` times, until `invite.expires_at`.
  Task<Result<NewInvite>> create_invite(RoomId room, UserId creator, std::optional<std::chrono::seconds> lifetime,
                                        std::optional<int> uses);
  Task<Result<>> end_invite(RoomId room, UserId actor, std::string token);
  Task<Result<RoomState>> join(UserId user, std::string token);

 private:
  Task<Result<>> commit_only(Change change);
  Task<Result<RoomState>> commit(Change change);

  Store& store_;
  const WallClock clock_;
};

}  // namespace payam::chat
