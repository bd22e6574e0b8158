// What a change comes to: asks the rules against the room's state and makes the entry to be inserted. Nothing of it shows until
// then; the writer inserts it, and asks again if another writer was first.
//
// appender.cpp: what all share, and new rooms; appender_messages.cpp: sending, the hot path; appender_updates.cpp: what happens
// to messages afterwards; appender_members.cpp: who comes, goes and rules, and a room's name and end.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/rules.hpp"
#include "chat/store/mongo/room_log.hpp"

namespace payam::chat::mongo {

// An account's way out of a room that it is or was in, for its erasure: ends the room with its last member, or passes it on (a
// RoleChanged, after which it is to be asked for once more), or tells it.
struct Depart {
  RoomId room;
  UserId user;
  Timestamp at{};
};
using Work = std::variant<Change, Depart>;

struct Planned {
  std::optional<Document> entry;  // none: nothing is to be written, `commit` is the answer
  Commit commit;
};

// Senders whose membership was read since the last entry that could change it.
struct KnownSender {
  Role role = Role::member;
  std::string email;
};
using KnownSenders = std::unordered_map<UserId, KnownSender>;

class Appender {
 public:
  // What comes next in the room: moves on with every entry planned, so that a batch can be planned before it is written.
  struct Next {
    explicit Next(const LogState& state)
        : rev(state.room.rev.next()), last_seq(state.room.last_seq), active_at(state.active_at) {}
    Rev rev;
    Seq last_seq;
    Timestamp active_at;
  };
  // `id`: of the entry if it is no message's, the same at every attempt. `collided`: a key of the attempt before was taken, so
  // an earlier entry of the same change is looked for.
  struct Attempt {
    std::string id;
    bool collided = false;
    bool invite_taken = false;  // kept from one attempt to the next; given back by release()
  };

  Appender(Connection& connection, const LogState& state, KnownSenders& senders)
      : connection_(connection), state_(state), senders_(senders) {}

  Result<Planned> plan(const Work& work, Attempt& attempt, Next& next);
  // After a refusal or failure, for which nothing was written: what was taken for the change beforehand.
  void release(const Work& work, Attempt& attempt);

 private:
  struct Acting {
    UserId user;
    std::optional<std::string> email;
    rules::MaybeRole role;
  };
  struct Named {
    People::Person person;
    Role role = Role::member;
  };
  struct Attached {
    std::vector<Upload> attachments;
    std::vector<UploadId> links;
  };
  struct Target {
    Acting acting;
    StoredMessage stored;
    bool own = false;
  };

  Result<Planned> plan(const SendMessage& send);
  Result<Planned> plan(const CreateRoom& create);
  Result<Planned> plan(const OpenDirect& open);
  Result<Planned> plan(const AddMembers& add);
  Result<Planned> plan(const RemoveMember& remove);
  Result<Planned> plan(const JoinByInvite& join);
  Result<Planned> plan(const ChangeRole& change);
  Result<Planned> plan(const UpdateRoom& update);
  Result<Planned> plan(const DeleteRoom& deletion);
  Result<Planned> plan(const EditMessage& edit);
  Result<Planned> plan(const DeleteMessage& deletion);
  Result<Planned> plan(const React& react);
  Result<Planned> plan(const PinMessage& pin);
  Result<Planned> plan(const Depart& depart);

  // Errc::not_found if there is no such room or no such user; whether the user is a member is the rules' to ask.
  Result<Acting> find_acting(const UserId& actor);
  rules::MaybeRole role_of(const UserId& user);
  int owners();
  std::optional<People::Person> find_person(const std::string& email);
  std::optional<People::Person> find_person(const UserId& user);
  Result<std::vector<People::Person>> find_people_for(const UserId& actor, const std::vector<std::string>& emails);
  bool is_blocked(const UserId& user, const UserId& by);

  // The entry's common fields, with the next rev.
  StoredEntry new_entry(EntryKind kind, const UserId& actor, Timestamp at) const;
  Planned planned(const StoredEntry& stored, Entry entry, std::optional<RoomState> after);
  Planned first_entry(const RoomId& room);
  // Of a change that changed nothing.
  Planned unchanged(const Acting& acting, Timestamp at, EntryBody body, std::optional<RoomState> after = {});
  RoomState state_now();    // of a change that changed nothing
  RoomState state_after();  // with the next rev

  Planned create_room(const Room& room, const People::Person& creator, std::vector<Named> members,
                      std::optional<std::string> pair);
  Planned add_members(const Acting& actor, const std::vector<People::Person>& people, Timestamp at);
  // `kind`: member_removed or account_erased.
  Planned end_membership(EntryKind kind, const Acting& actor, Participant who, Timestamp at);
  Planned set_role(const Acting& actor, const People::Person& person, Role role, Timestamp at);
  Planned delete_room(const Acting& actor, Timestamp at);

  Result<Planned> find_earlier(const SendMessage& send, bool& found);
  Result<Attached> find_attached(const std::vector<UploadId>& ids, const std::string& content, const UserId& sender);
  // Marks them as used by the message; false if one is gone.
  bool claim(const MessageId& message, const Attached& attached, const UserId& uploader);
  std::vector<People::Person> find_mentioned(const std::string& content);

  Result<Target> find_target(const MessageRef& ref, const UserId& actor);
  Result<Planned> update_message(Target target, Timestamp at, bool frees_uploads);
  Planned repeat(const Target& target, Timestamp at);

  Connection& connection_;
  const LogState& state_;
  KnownSenders& senders_;
  Attempt* attempt_ = nullptr;  // of the change that is being planned
  Next* next_ = nullptr;
};

}  // namespace payam::chat::mongo
