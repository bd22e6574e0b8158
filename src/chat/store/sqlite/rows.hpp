// From rows to the model: what both the writer (for the state after a change) and the readers need.
#pragma once

#include <optional>
#include <vector>

#include "chat/model.hpp"
#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// As the log's `kind` holds it.
enum class EntryKind : std::uint8_t {
  room_created = 1,
  members_added = 2,
  member_removed = 3,
  message_updated = 4,
  role_changed = 5,
  room_updated = 6,
  account_erased = 8,
};

// A room's key and its public id, which go together through all of these.
struct RoomRef {
  std::int64_t key = 0;
  RoomId id;
};

// All of the room, by e-mail.
std::vector<Member> read_members(Database& database, std::int64_t room);

enum class Order : std::uint8_t { ascending, descending };

// Messages `first` to `last` in their present state, one at a time; no more is read than is given.
class MessageCursor {
 public:
  MessageCursor(Database& database, const RoomRef& room, Seq first, Seq last, Order order = Order::ascending);

  std::optional<Message> next();
  Rev first_rev() const { return first_rev_; }  // of the entry that added the message last given

 private:
  // Rows of another table in the same order, taken along as their message passes.
  class Side {
   public:
    explicit Side(Statement rows) : rows_(std::move(rows)), more_(rows_.step()) {}
    bool belongs_to(Seq seq) const { return more_ && rows_.get<Seq>(0) == seq; }
    const Statement& row() const { return rows_; }
    void step() { more_ = rows_.step(); }

   private:
    Statement rows_;
    bool more_;
  };

  RoomId room_;
  Statement messages_;
  Side mentions_;
  Side reactions_;
  Side attachments_;
  Rev first_rev_;
};

std::vector<Message> read_messages(Database& database, const RoomRef& room, Seq first, Seq last);

// The room's log after `rev`, ascending, one entry at a time, without the messages, which are their own entries.
class LogCursor {
 public:
  LogCursor(Database& database, const RoomRef& room, Rev after);

  bool next();
  Rev rev() const { return rows_.get<Rev>(0); }
  Seq seq() const { return rows_.get<Seq>(2); }  // the room's last one as of this entry
  // The message that was changed; nullopt for an entry about the room.
  std::optional<Seq> subject() const { return rows_.get<std::optional<Seq>>(7); }
  Entry entry() const;

 private:
  std::vector<Participant> participants() const;

  Database& database_;
  RoomRef room_;
  Statement rows_;
};

// The first message added after `rev`, which the room has reached.
Seq first_message_after(Database& database, std::int64_t room, Rev rev);

}  // namespace payam::chat::sqlite
