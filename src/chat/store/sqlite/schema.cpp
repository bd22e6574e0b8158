#include "chat/store/sqlite/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace payam::chat::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x5061796d;  // "Paym", so that `file` and we know our databases

// Step N leads from schema N to N + 1. A step that was released is never changed; a new one is added.
//
// Users, rooms and uploads have an integer `key` beside the public id: it is what the large tables repeat. Times are
// milliseconds since 1970. The large tables are clustered by room, so that a page of history is read from neighbouring pages of
// the file.
constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE users (
  key           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  email         TEXT UNIQUE,           -- lower case; this and the next are null once the account is erased
  username      TEXT,
  username_key  TEXT UNIQUE,           -- as compared: rules::username_key
  full_name     TEXT,
  full_name_key TEXT,                  -- folded likewise, for searching
  password_hash TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  last_seen     INTEGER
) STRICT;
CREATE INDEX users_by_full_name ON users (full_name_key);

-- `blocked` is kept away from `user`.
CREATE TABLE blocks (
  user    INTEGER NOT NULL REFERENCES users,
  blocked INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (user, blocked)
) STRICT, WITHOUT ROWID;
CREATE INDEX blockers ON blocks (blocked, user);

CREATE TABLE sessions (
  id            TEXT PRIMARY KEY,
  user          INTEGER NOT NULL REFERENCES users,
  device        TEXT NOT NULL,
  address       TEXT NOT NULL,
  refresh_hash  TEXT NOT NULL,
  previous_hash TEXT,
  rotated_at    INTEGER,
  created_at    INTEGER NOT NULL,
  last_used_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user);

CREATE TABLE rooms (
  key        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  kind       INTEGER NOT NULL,         -- RoomKind
  name       TEXT NOT NULL,
  topic      TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  active_at  INTEGER NOT NULL,         -- of the latest entry that puts it first in lists
  last_seq   INTEGER NOT NULL,
  rev        INTEGER NOT NULL,
  low_user   INTEGER REFERENCES users, -- the pair of a direct room, the lower key first
  high_user  INTEGER REFERENCES users,
  deleted    INTEGER NOT NULL DEFAULT 0,  -- nobody's any more; what it held is removed bit by bit
  CHECK ((kind = 1) = (low_user IS NOT NULL AND high_user IS NOT NULL AND low_user < high_user))
) STRICT;
CREATE UNIQUE INDEX direct_pairs ON rooms (low_user, high_user) WHERE kind = 1;
CREATE INDEX deleted_rooms ON rooms (key) WHERE deleted = 1;

CREATE TABLE members (
  room       INTEGER NOT NULL REFERENCES rooms,
  user       INTEGER NOT NULL REFERENCES users,
  role       INTEGER NOT NULL,         -- Role
  read_seq   INTEGER NOT NULL,
  hidden_seq INTEGER,                  -- a direct room is not in the user's list until a later message
  joined_at  INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_of_user ON members (user, room);

-- Who was last removed by someone else, and when: an older invite does not bring them back.
CREATE TABLE removals (
  room INTEGER NOT NULL REFERENCES rooms,
  user INTEGER NOT NULL REFERENCES users,
  rev  INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
  token_hash TEXT PRIMARY KEY,
  room       INTEGER NOT NULL REFERENCES rooms,
  rev        INTEGER NOT NULL,         -- the room's, when it was made
  creator    INTEGER NOT NULL REFERENCES users,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  uses_left  INTEGER                   -- null: any number
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_of_room ON invites (room);
CREATE INDEX invites_of_user ON invites (creator);

-- What happened in each room, in order of rev: rows are added, never changed. A message is an entry too, yet has its row in
-- messages alone, which saves the hot path a second one: the revs that miss here, a room's first being its creation, are messages,
-- and with `seq` one knows which.
CREATE TABLE log (
  room    INTEGER NOT NULL REFERENCES rooms,
  rev     INTEGER NOT NULL,
  kind    INTEGER NOT NULL,            -- EntryKind
  seq     INTEGER NOT NULL,            -- the room's last one as of this entry
  at      INTEGER NOT NULL,
  actor   INTEGER NOT NULL REFERENCES users,
  subject INTEGER,                     -- the seq of the message that was changed
  name    TEXT,                        -- the room's, as of an entry about it
  topic   TEXT,
  PRIMARY KEY (room, rev)
) STRICT, WITHOUT ROWID;

-- Whom an entry about membership names.
CREATE TABLE log_members (
  room     INTEGER NOT NULL,
  rev      INTEGER NOT NULL,
  position INTEGER NOT NULL,
  user     INTEGER NOT NULL REFERENCES users,
  role     INTEGER NOT NULL,
  PRIMARY KEY (room, rev, position),
  FOREIGN KEY (room, rev) REFERENCES log
) STRICT, WITHOUT ROWID;

-- Messages in their present state; each is also the log's entry `first_rev`.
CREATE TABLE messages (
  room      INTEGER NOT NULL REFERENCES rooms,
  seq       INTEGER NOT NULL,
  id        TEXT NOT NULL UNIQUE,
  first_rev INTEGER NOT NULL,
  rev       INTEGER NOT NULL,          -- of its latest change
  sender    INTEGER NOT NULL REFERENCES users,
  at        INTEGER NOT NULL,
  content   TEXT NOT NULL,
  client_id TEXT,
  reply_to  TEXT,                      -- a message's id
  edited_at INTEGER,
  deleted   INTEGER NOT NULL DEFAULT 0,
  pinned    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX retries ON messages (room, sender, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX pins ON messages (room, seq) WHERE pinned = 1;

CREATE TABLE reactions (
  room  INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  rev   INTEGER NOT NULL,              -- of the entry that added it
  emoji TEXT NOT NULL,
  user  INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (room, seq, rev),
  UNIQUE (room, seq, user, emoji),
  FOREIGN KEY (room, seq) REFERENCES messages
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_of_user ON reactions (user);

CREATE TABLE mentions (
  room     INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  position INTEGER NOT NULL,
  user     INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (room, seq, position),
  FOREIGN KEY (room, seq) REFERENCES messages
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
  key          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  uploader     INTEGER NOT NULL REFERENCES users,
  name         TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         INTEGER NOT NULL,
  width        INTEGER,
  height       INTEGER,
  created_at   INTEGER NOT NULL,
  used         INTEGER NOT NULL DEFAULT 0  -- whether message_uploads has a row of it
) STRICT;
CREATE INDEX uploads_of_user ON uploads (uploader);
CREATE INDEX unused_uploads ON uploads (created_at) WHERE used = 0;

-- Which messages refer to an upload; what lets the room's members fetch it.
CREATE TABLE message_uploads (
  room     INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  upload   INTEGER NOT NULL REFERENCES uploads,
  position INTEGER,                    -- among the attachments; null if only the text links to it
  PRIMARY KEY (room, seq, upload),
  FOREIGN KEY (room, seq) REFERENCES messages
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_of_upload ON message_uploads (upload, room);
)sql",
    R"sql(
-- In which rooms someone ever was.
CREATE INDEX entries_of_user ON log_members (user);
)sql",
    R"sql(
-- Refresh tokens used a moment ago and what each was exchanged for, sealed: accounts.hpp, used_tokens_text().
ALTER TABLE sessions ADD COLUMN used_tokens TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions DROP COLUMN previous_hash;
ALTER TABLE sessions DROP COLUMN rotated_at;
CREATE INDEX sessions_by_use ON sessions (last_used_at);
)sql",
};

std::int64_t pragma(Database& database, std::string_view sql) {
  Statement statement = database.query(sql);
  statement.step();
  return statement.get<std::int64_t>(0);
}

}  // namespace

void migrate(Database& database) {
  const auto latest = static_cast<std::int64_t>(kMigrations.size());
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  const std::int64_t application = pragma(database, "PRAGMA application_id");
  const bool empty = pragma(database, "SELECT count(*) FROM sqlite_schema") == 0;
  if (!empty && application != kApplicationId) throw std::runtime_error("the database file belongs to another program");
  if (version > latest) {
    throw std::runtime_error(
        fmt::format("the database was written by a newer Payam (its schema is {}, this one knows up to {}): use that version",
                    version, latest));
  }
  for (std::int64_t step = version; step < latest; ++step) {
    Transaction transaction(database, Transaction::Kind::write);
    database.execute(kMigrations[static_cast<std::size_t>(step)]);
    database.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, step + 1));
    transaction.commit();
  }
}

}  // namespace payam::chat::sqlite
