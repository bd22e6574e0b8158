// Applies changes: asks the rules, appends to the room's log, brings the present state up. On the writer's thread, within its
// transaction; each change leaves everything or nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
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

  Result<Commit> apply(const SendMessage& send);
  Result<Commit> apply(const CreateRoom& create);
  Result<Commit> apply(const OpenDirect& open);
  Result<Commit> apply(const AddMembers& add);
  Result<Commit> apply(const RemoveMember& remove);

  struct Attached {
    std::int64_t key = 0;
    std::optional<Upload> upload;  // nullopt if the text merely links to it
  };
  Result<std::vector<Attached>> find_attached(const SendMessage& send, std::int64_t sender);
  std::vector<Person> find_mentioned(const SendMessage& send, std::int64_t room);
  Result<std::optional<Commit>> find_earlier(const SendMessage& send, const CachedRoom& room, std::int64_t sender);

  std::optional<Person> find_person(const std::string& email);
  // Everyone named, each once; Errc::bad_request naming the first whom nobody is.
  Result<std::vector<Person>> find_people(const std::vector<std::string>& emails);

  // A new room with its first entry.
  Commit create_room(const Room& room, const CachedUser& creator, const std::vector<Named>& members,
                     std::optional<std::pair<std::int64_t, std::int64_t>> pair);
  // What a second CreateRoom or OpenDirect gets.
  Commit first_entry(const RoomId& id);

  void insert_member(const CachedRoom& room, const Named& member, Seq read_seq, Timestamp at);
  // The log's row and the fields every entry has; the room is advanced by the caller, when nothing can fail any more.
  Entry append(const CachedRoom& room, EntryKind kind, const CachedUser& actor, Timestamp at,
               std::optional<std::string_view> name, const std::vector<Named>& named);
  RoomState state_of(const CachedRoom& room);

  Database& database_;
  RoomCache cache_;
};

}  // namespace payam::chat::sqlite
