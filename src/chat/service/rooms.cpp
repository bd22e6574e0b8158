#include "chat/service/rooms.hpp"

#include "base/random.hpp"
#include "base/ulid.hpp"
#include "chat/auth/secret_hash.hpp"

namespace payam::chat {

Task<Result<RoomState>> Rooms::commit(Change change) {
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return std::move(commit->after).value();
}

Task<Result<RoomState>> Rooms::create(UserId creator, std::string name, std::vector<std::string> member_emails) {
  const Timestamp now = clock_();
  Change change = CreateRoom{RoomId(new_ulid(now)), std::move(creator), std::move(name), std::move(member_emails), now};
  return commit(std::move(change));
}

Task<Result<Opened>> Rooms::open_direct(UserId from, std::string to_email) {
  const Timestamp now = clock_();
  Change change = OpenDirect{RoomId(new_ulid(now)), std::move(from), std::move(to_email), now};
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return Opened{std::move(commit->after).value(), !commit->repeated};
}

Task<Result<RoomView>> Rooms::find(RoomId room, UserId viewer) {
  return store_.find_room(std::move(room), std::move(viewer), kMessagesShown);
}

Task<std::vector<RoomSummary>> Rooms::list(UserId user, RoomKind kind) { return store_.rooms_of(std::move(user), kind); }

Task<Result<RoomState>> Rooms::add_members(RoomId room, UserId actor, std::vector<std::string> emails) {
  Change change = AddMembers{std::move(room), std::move(actor), std::move(emails), clock_()};
  return commit(std::move(change));
}

Task<Result<>> Rooms::commit_only(Change change) {
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return Result<>();
}

Task<Result<>> Rooms::remove_member(RoomId room, UserId actor, std::string email) {
  Change change = RemoveMember{std::move(room), std::move(actor), std::move(email), clock_()};
  return commit_only(std::move(change));
}

Task<Result<RoomState>> Rooms::change_role(RoomId room, UserId actor, std::string email, Role role) {
  Change change = ChangeRole{std::move(room), std::move(actor), std::move(email), role, clock_()};
  return commit(std::move(change));
}

Task<Result<RoomState>> Rooms::update(RoomId room, UserId actor, std::optional<std::string> name,
                                      std::optional<std::string> topic) {
  Change change = UpdateRoom{std::move(room), std::move(actor), std::move(name), std::move(topic), clock_()};
  return commit(std::move(change));
}

Task<Result<>> Rooms::erase(RoomId room, UserId actor) {
  Change change = DeleteRoom{std::move(room), std::move(actor), clock_()};
  return commit_only(std::move(change));
}

Task<Result<>> Rooms::hide_direct(RoomId room, UserId user) { return store_.hide_direct(std::move(room), std::move(user)); }

Task<Result<NewInvite>> Rooms::create_invite(RoomId room, UserId creator, std::optional<std::chrono::seconds> lifetime,
                                             std::optional<int> uses) {
  constexpr std::size_t kTokenBytes = 16;
  const Timestamp now = clock_();
  NewInvite created{random_token(kTokenBytes), {}};
  created.invite = {.token_hash = hash_secret(created.token),
                    .room = std::move(room),
                    .creator = std::move(creator),
                    .created_at = now,
                    .expires_at = lifetime ? std::optional(now + *lifetime) : std::nullopt,
                    .uses_left = uses};
  const auto stored = co_await store_.create_invite(created.invite);
  if (!stored) co_return std::unexpected(stored.error());
  co_return created;
}

Task<Result<>> Rooms::end_invite(RoomId room, UserId actor, std::string token) {
  return store_.delete_invite(std::move(room), std::move(actor), hash_secret(token));
}

Task<Result<RoomState>> Rooms::join(UserId user, std::string token) {
  Change change = JoinByInvite{hash_secret(token), std::move(user), clock_()};
  return commit(std::move(change));
}

}  // namespace payam::chat
