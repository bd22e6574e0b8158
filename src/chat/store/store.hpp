// Where the chat's data lives. Two implementations: SQLite (embedded) and, later, MongoDB; one contract suite runs on both.
//
// Every call may be made on any shard and resumes there; nothing blocks the shard. Refusals are Results; an outage (disk,
// database) or a full queue throws (std::runtime_error, Overloaded). A change that was reported is durable: it survives kill
// -9.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

// Told of every commit, durable already, in the order of commits (so of `rev` within a room), on the store's own thread and
// before the change's caller resumes. Must not throw, block or call the store; `repeated` commits are not told.
using CommitObserver = std::function<void(std::span<const Commit> commits)>;

class Store {
 public:
  virtual ~Store() = default;

  // Set once, before the first commit.
  virtual void observe(CommitObserver observer) = 0;

  // Users. `user.email` is lower case, the id new. Errc::bad_request: `Email already registered`, `Username already registered`
  // (usernames are compared without case).
  virtual Task<Result<User>> create_user(User user) = 0;
  virtual Task<std::optional<User>> find_user(UserId id) = 0;
  virtual Task<std::optional<User>> find_user_by_email(std::string email) = 0;
  virtual Task<std::optional<User>> find_user_by_username(std::string username) = 0;
  virtual Task<> set_last_seen(UserId user, Timestamp at) = 0;

  // Sessions.
  virtual Task<> create_session(Session session) = 0;
  virtual Task<std::optional<Session>> find_session(SessionId id) = 0;

  // Rules checked inside the commit (rules.hpp), appended to the room's log, durable; then the observer, then the caller.
  // Errc::not_found, not_member: rules::kRoomNotFound. Errc::bad_request: an e-mail nobody has, an upload that is not the
  // sender's own, a reply to a message that is not in the room; the text names it. Errc::conflict: the id is another's.
  virtual Task<Result<Commit>> commit(Change change) = 0;

  // Rooms, as `viewer` may see them; else Errc::not_found.
  virtual Task<Result<RoomView>> find_room(RoomId room, UserId viewer, int messages) = 0;
  virtual Task<std::vector<RoomSummary>> rooms_of(UserId user, RoomKind kind) = 0;  // latest activity first
  virtual Task<std::vector<RoomId>> room_ids_of(UserId user) = 0;
  virtual Task<bool> is_member(RoomId room, UserId user) = 0;
  virtual Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query) = 0;
  virtual Task<Result<CatchUp>> messages_after(RoomId room, UserId viewer, Seq seq, CatchUpLimit limit) = 0;
  virtual Task<Result<CatchUp>> changes_after(RoomId room, UserId viewer, Rev rev, CatchUpLimit limit) = 0;
  // The people `user` shares a room with, in rooms of at most `largest_room` members; without `user`.
  virtual Task<std::vector<UserId>> contacts_of(UserId user, int largest_room) = 0;

  // Uploads. Found only by the uploader and members of a room it was sent to.
  virtual Task<> create_upload(Upload upload) = 0;
  virtual Task<std::optional<Upload>> find_upload(UploadId id, UserId viewer) = 0;

  // For /healthz and the log: throws if the store cannot answer.
  virtual Task<> ping() = 0;
};

}  // namespace payam::chat
