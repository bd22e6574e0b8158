// Where the chat's data lives. Two implementations: SQLite (embedded) and, later, MongoDB; one contract suite runs on both.
//
// Every call may be made on any shard and resumes there; nothing blocks the shard. Refusals are Results; an outage (disk,
// database) or a full queue throws (std::runtime_error, Overloaded). A full disk or database throws OutOfStorage, or is
// Errc::out_of_storage where it was foreseen; reading, searching, deleting and leaving go on as long as they can. A change that
// was reported is durable: it survives kill -9.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/store/meters.hpp"
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

  // Users. `user.email` is lower case. Errc::conflict: the id was given before. Errc::bad_request: `Email already registered`,
  // `Username already registered` (usernames are compared without case).
  virtual Task<Result<User>> create_user(User user) = 0;
  virtual Task<std::optional<User>> find_user(UserId id) = 0;
  virtual Task<std::optional<User>> find_user_by_email(std::string email) = 0;
  virtual Task<std::optional<User>> find_user_by_username(std::string username) = 0;
  virtual Task<> set_last_seen(UserId user, Timestamp at) = 0;
  // What is not given stays. Errc::not_found; Errc::bad_request: `Username already registered`.
  virtual Task<Result<User>> update_user(UserId user, std::optional<std::string> username,
                                         std::optional<std::string> full_name) = 0;
  virtual Task<> set_password_hash(UserId user, std::string hash) = 0;
  // The same password hashed anew. False if the user's hash is not `old` any more.
  virtual Task<bool> renew_password_hash(UserId user, std::string old, std::string hash) = 0;
  // The highest rules::bcrypt_cost of all passwords, 0 if there is none. Reads every user: not for each request.
  virtual Task<int> highest_password_cost() = 0;
  // Whose username, e-mail or full name begins with `prefix`, without case; by username.
  virtual Task<std::vector<User>> search_users(std::string prefix, int limit) = 0;
  // The account, its sessions, blocks, reactions and memberships are gone, its messages keep no sender. Every room it is or
  // ever was in gets an AccountErased, of which the observer is told; where it was the only owner, whom rules::successor names
  // becomes owner first; a room without anyone left is deleted. False if there is none.
  virtual Task<bool> erase_user(UserId user, Timestamp at) = 0;

  // Who is blocked cannot open a direct room with the user, put them into a room or see their presence. Errc::bad_request:
  // nobody has this e-mail.
  virtual Task<Result<>> set_block(UserId user, std::string email, bool on) = 0;
  virtual Task<std::vector<std::string>> blocks_of(UserId user) = 0;  // e-mails, sorted

  // Sessions.
  virtual Task<> create_session(Session session) = 0;
  virtual Task<std::optional<Session>> find_session(SessionId id) = 0;
  virtual Task<std::vector<Session>> sessions_of(UserId user) = 0;  // the last used first
  virtual Task<> touch_session(SessionId id, Timestamp at) = 0;
  // As rules::judge_refresh has it: rotates the session, leaves it as it is, or ends it. nullopt if there is none.
  virtual Task<std::optional<Rotated>> rotate_session(SessionId id, Rotation rotation, Timestamp at) = 0;
  // Ends sessions that were last used before then, `limit` at most; gives them as they were.
  virtual Task<std::vector<Session>> end_idle_sessions(Timestamp before, int limit) = 0;
  virtual Task<bool> end_session(SessionId id, UserId owner) = 0;  // false if the owner has none such
  virtual Task<std::vector<SessionId>> end_sessions_of(UserId user, std::optional<SessionId> but) = 0;

  // Rules checked inside the commit (rules.hpp), appended to the room's log, durable; then the observer, then the caller.
  // Errc::not_found, not_member: rules::kRoomNotFound. Errc::bad_request: an e-mail nobody has, an upload that is not the
  // sender's own, a reply to a message that is not in the room; the text names it. Errc::conflict: the id is another's.
  // Errc::forbidden: the rules, or someone to be added has blocked the actor; the text names them.
  virtual Task<Result<Commit>> commit(Change change) = 0;

  // Rooms, as `viewer` may see them; else Errc::not_found.
  virtual Task<Result<RoomView>> find_room(RoomId room, UserId viewer, int messages) = 0;
  virtual Task<std::vector<RoomSummary>> rooms_of(UserId user, RoomKind kind) = 0;  // latest activity first
  virtual Task<std::vector<RoomId>> room_ids_of(UserId user) = 0;
  virtual Task<bool> is_member(RoomId room, UserId user) = 0;
  virtual Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query) = 0;
  virtual Task<Result<CatchUp>> messages_after(RoomId room, UserId viewer, Seq seq, CatchUpLimit limit) = 0;
  virtual Task<Result<CatchUp>> changes_after(RoomId room, UserId viewer, Rev rev, CatchUpLimit limit) = 0;
  // A message in a room of the viewer's; Errc::not_found.
  virtual Task<Result<Message>> find_message(MessageRef message, UserId viewer) = 0;
  virtual Task<Result<PinPage>> pinned_messages(RoomId room, UserId viewer, PinQuery query) = 0;
  // Messages in their present state, of rooms the viewer is a member of, newest first; whatever was acknowledged before the
  // call is found. Errc::not_found: the room is not the viewer's, or there is no message `before`, which may be one deleted or
  // of another room. Users take turns. Ends early, with what it has, when it has cost too much. Throws Overloaded if its turn
  // does not come in time, if it comes to nothing in its time, or if the index is too far behind; and ends soon once `stop` is
  // requested, with any result.
  virtual Task<Result<SearchPage>> search(UserId viewer, SearchQuery query, std::stop_token stop) = 0;
  // Forward only and never past the last message; no entry of the log.
  virtual Task<Result<ReadMarker>> mark_read(RoomId room, UserId user, Seq seq) = 0;
  // Takes a direct room from the user's list until its next message. Errc::not_found, also for a group.
  virtual Task<Result<>> hide_direct(RoomId room, UserId user) = 0;

  // The people `user` shares a room with, in rooms of at most `largest_room` members, without `user`: who may see their
  // presence (not whom they block), or whose presence they may see (not who blocks them).
  virtual Task<std::vector<UserId>> contacts_of(UserId user, int largest_room) = 0;
  virtual Task<std::vector<UserId>> visible_contacts_of(UserId user, int largest_room) = 0;

  // Invites, made and ended by those who may add members; joining is a Change.
  virtual Task<Result<>> create_invite(Invite invite) = 0;
  virtual Task<Result<>> delete_invite(RoomId room, UserId actor, std::string token_hash) = 0;  // Errc::not_found
  virtual Task<std::optional<Invite>> find_invite(std::string token_hash) = 0;                  // also one that is over

  // Uploads. Found only by the uploader and members of a room it was sent to.
  virtual Task<> create_upload(Upload upload) = 0;
  virtual Task<std::optional<Upload>> find_upload(UploadId id, UserId viewer) = 0;
  virtual Task<std::uint64_t> uploaded_bytes(UserId user) = 0;
  // Uploads older than `before` that no message refers to, and all such of erased accounts; the oldest first.
  virtual Task<std::vector<UploadId>> unused_uploads(Timestamp before, int limit) = 0;
  virtual Task<bool> delete_unused_upload(UploadId id) = 0;  // false if a message refers to it by now, or there is none
  // Those of `ids` that there are, in any order.
  virtual Task<std::vector<UploadId>> uploads_among(std::vector<UploadId> ids) = 0;

  // For /healthz and the log: throws if the store cannot answer.
  virtual Task<> ping() = 0;
  // For /readyz: throws OutOfStorage while there is no space for messages.
  virtual Task<> check_writable() = 0;

  const StoreMeters& meters() const { return meters_; }

 protected:
  StoreMeters meters_;  // of the implementation's work; it counts
};

}  // namespace payam::chat
