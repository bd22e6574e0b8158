// The data of the original service (FastAPI with Motor), read into one of our stores:
//
//   users          {_id, username, email, full_name, hashed_password, disabled?}    passwords by passlib: bcrypt
//   chat_rooms     {_id, name, members: [email], messages: [{sender, content, timestamp}]}
//   private_chats  {_id, participants: [email, email], messages: […]}               in some versions
//
// Reads what such services write under these and a few other names (chat_service.cpp). Whatever is not taken, or not taken as
// it is, is said. Every id is made of the source's, so that a second run adds nothing and one that was killed goes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chat/store/mongo/client.hpp"
#include "chat/store/transfer.hpp"

namespace payam::chat::migrate {

struct ImportReport {
  struct Count {
    std::uint64_t found = 0;  // in the source
    std::uint64_t taken = 0;  // by this run
    std::uint64_t there = 0;  // from before
  };
  Count users, rooms, private_chats, messages;
  std::vector<std::string> skipped;  // what, and why
  std::vector<std::string> notes;    // what was taken otherwise than it stood there

  std::string text() const;  // for people, lines
};

// Blocks; throws what the backends throw.
ImportReport import_chat_service(mongo::Connection& source, transfer::Archive& target);

}  // namespace payam::chat::migrate
