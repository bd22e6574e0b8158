// The victim of sqlite_kill_test: opens the database named in its argument.
#include "chat/store/contract/kill.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"

int main(int argc, char** argv) {
  using namespace payam::chat;
  if (argc != 2) return 2;
  const auto store = open_sqlite_store({.path = argv[1], .checkpoint_pages = 100});
  send_until_killed(*store);
}
