// The tables and how they came to be.
#pragma once

#include "chat/store/sqlite/database.hpp"

namespace payam::chat::sqlite {

// Brings the database to the newest schema, each step in a transaction of its own. Throws std::runtime_error with a text for
// the operator if the file is another program's or was written by a newer Payam.
void migrate(Database& database);

}  // namespace payam::chat::sqlite
