#include "chat/service/rooms.hpp"

#include "base/ulid.hpp"

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

Task<Result<>> Rooms::remove_member(RoomId room, UserId actor, std::string email) {
  Change change = RemoveMember{std::move(room), std::move(actor), std::move(email), clock_()};
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return Result<>();
}

}  // namespace payam::chat
