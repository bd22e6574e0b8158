// Promise 1 on a real process: kill -9 in the middle of sending, again and again on one database; every message that was
// acknowledged is there, once, where it was said to be.
#include <gtest/gtest.h>
#include <signal.h>

#include "chat/store/contract/kill.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"

namespace payam::chat {
namespace {

TEST(Kill, LosesNothingThatWasAcknowledged) {
  const TemporaryFolder folder;
  const std::string database = (folder.path() / "payam.db").string();
  Acknowledged acknowledged;
  for (const int lines : {1, 40, 7, 150, 1, 300, 90, 20, 500, 3}) {
    Victim victim(PAYAM_KILL_CHILD, database);
    ASSERT_TRUE(victim.wait_for(lines));
    ASSERT_EQ(victim.kill(), SIGKILL);
    read_acknowledged(victim.whole_output(), acknowledged);
  }
  ASSERT_GT(acknowledged.size(), 1000u);
  verify_acknowledged(*open_sqlite_store({.path = database}), acknowledged);
}

}  // namespace
}  // namespace payam::chat
