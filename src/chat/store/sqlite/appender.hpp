// Applies changes: asks the rules, appends to the room's log, brings the present state up. On the writer's thread, within its
// transaction; each change leaves everything or nothing.
//
// appender.cpp: what all share, and new rooms; appender_messages.cpp: sending, the hot path; appender_updates.cpp: what happens
// to messages afterwards; appender_members.cpp: who comes, goes and rules; appender_rooms.cpp: a room's name, its end, invites.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/rules.hpp"
#include "chat/store/sqlite/database.hpp"
#include "chat/store/sqlite/room_cache.hpp"
#include "chat/store/sqlite/rows.hpp"

namespace payam::chat::sqlite {

class Appender {
 public:
  // `database` outlives the appender.
  Appender(Database& database, std::size_t cache_limit) : database_(database), cache_(database, cache_limit) {}

  // Refusals are the store's (store.hpp). Throws SqliteError, with nothing of the change left.
  Result<Commit> apply(const Change& change);

  // The same of a change that adds nothing, a refusal, and what was done before; else Errc::out_of_storage, with nothing left.
  Result<Commit> apply_unless_it_adds(const Change& change);

  // Adds the commits that erasing takes to `commits`. False if there is no such user.
  bool erase_user(const UserId& user, Timestamp at, std::vector<Commit>& commits);

  // No entries of the log.
  Result<ReadMarker> mark_read(const RoomId& room, const UserId& user, Seq seq);
  Result<> hide_direct(const RoomId& room, const UserId& user);
  Result<> create_invite(const Invite& invite);
  Result<> delete_invite(const RoomId& room, const UserId& actor, const std::string& token_hash);

  // Removes a part of what deleted rooms held; true if there may be more.
  bool purge_some();

  // Its flush() belongs before the transaction's end, its trim() or forget() after it.
  RoomCache& cache() { return cache_; }

 private:
  struct Person {  // a row of users
    std::int64_t key = 0;
    UserId id;
    std::string email;
  };
  struct Named {  // someone an entry is about
    Person person;
    Role role = Role::member;
  };
  struct Acting {  // in a room
    CachedRoom* room = nullptr;
    const CachedUser* actor = nullptr;
    rules::MaybeRole role;
  };
  struct Target {  // a message to be changed, by a member of its room
    Acting acting;
    Seq seq;
    bool own = false;
    bool deleted = false;
    bool pinned = false;
    std::string content;
  };
  struct Attached {
    std::int64_t key = 0;
    std::optional<Upload> upload;  // nullopt if the text merely links to it
  };
  // The columns of the log that not every entry has.
  struct Details {
    std::optional<Seq> subject{};
    std::optional<std::string_view> name{}, topic{};
    std::span<const Named> named{};
  };

  Result<Commit> apply(const SendMessage& send);
  Result<Commit> apply(const CreateRoom& create);
  Result<Commit> apply(const OpenDirect& open);
  Result<Commit> apply(const AddMembers& add);
  Result<Commit> apply(const RemoveMember& remove);
  Result<Commit> apply(const JoinByInvite& join);
  Result<Commit> apply(const ChangeRole& change);
  Result<Commit> apply(const UpdateRoom& update);
  Result<Commit> apply(const DeleteRoom& deletion);
  Result<Commit> apply(const EditMessage& edit);
  Result<Commit> apply(const DeleteMessage& deletion);
  Result<Commit> apply(const React& react);
  Result<Commit> apply(const PinMessage& pin);

  // Errc::not_found if there is no such room or no such user; whether the user is a member is the rules' to ask.
  Result<Acting> find_acting(const RoomId& room, const UserId& actor);
  rules::MaybeRole role_of(const CachedRoom& room, std::int64_t user);
  int owners_of(const CachedRoom& room);
  std::optional<Person> find_person(const std::string& email);
  // Everyone named, each once; Errc::bad_request naming the first whom nobody is, Errc::forbidden who has blocked the actor.
  Result<std::vector<Person>> find_people_for(std::int64_t actor, const std::vector<std::string>& emails);
  bool is_blocked(std::int64_t user, std::int64_t by);

  // A new room with its first entry.
  Commit create_room(const Room& room, const CachedUser& creator, const std::vector<Named>& members,
                     std::optional<std::pair<std::int64_t, std::int64_t>> pair);
  // What a second CreateRoom or OpenDirect gets.
  Commit first_entry(const RoomId& id);

  void insert_member(const CachedRoom& room, const Named& member, Seq read_seq, Timestamp at);
  Commit add_members(CachedRoom& room, const CachedUser& actor, const std::vector<Named>& added, Timestamp at);
  Commit remove_member(CachedRoom& room, const CachedUser& actor, const Named& removed, Timestamp at);
  Commit set_role(CachedRoom& room, const CachedUser& actor, const Named& member, Timestamp at);
  // What every change to one member ends with: its entry, and that it is kept.
  template <class Body>
  Commit record_member(Savepoint& savepoint, CachedRoom& room, const CachedUser& actor, const Named& member, EntryKind kind,
                       Timestamp at);
  Commit delete_room(CachedRoom& room, const CachedUser& actor, Timestamp at);
  void erase_from(CachedRoom& room, const CachedUser& user, Timestamp at, std::vector<Commit>& commits);

  Result<Target> find_target(const MessageRef& message, const UserId& actor);
  // Runs `statements(rev)` and records that the message was changed.
  template <class Statements>
  Commit update_message(const Target& target, Timestamp at, const Statements& statements);
  Commit repeat(const Target& target, Timestamp at);  // of a change that changed nothing
  // The entry of a change that changed nothing.
  Commit unchanged(const Acting& acting, Timestamp at, EntryBody body);

  Result<std::vector<Attached>> find_attached(const std::vector<UploadId>& ids, const std::string& content,
                                              std::int64_t sender);
  std::vector<Person> find_mentioned(const std::string& content, std::int64_t room);
  void insert_mentions(std::int64_t room, Seq seq, const std::vector<Person>& mentioned);
  void insert_attached(std::int64_t room, Seq seq, const std::vector<Attached>& attached);
  // Of the messages in this range, or only what their texts link to.
  enum class References : std::uint8_t { all, links };
  void delete_attached(std::int64_t room, Seq first, Seq last, References which);
  Result<std::optional<Commit>> find_earlier(const SendMessage& send, const CachedRoom& room, std::int64_t sender);

  static std::vector<Participant> participants(std::span<const Named> named);
  // The log's row and the fields every entry has; the room is advanced by the caller, when nothing can fail any more.
  Entry append(const CachedRoom& room, EntryKind kind, const CachedUser& actor, Timestamp at, const Details& details);
  // The room after the change that is being made, with the next rev.
  RoomState state_after(const CachedRoom& room);

  Database& database_;
  RoomCache cache_;
};

}  // namespace payam::chat::sqlite
