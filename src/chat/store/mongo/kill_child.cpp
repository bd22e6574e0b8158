// The victim of mongo_kill_test: opens the database of the url in its argument.
#include "chat/store/contract/kill.hpp"
#include "chat/store/mongo/mongo_store.hpp"

int main(int argc, char** argv) {
  using namespace payam::chat;
  if (argc != 2) return 2;
  const auto store = open_mongo_store({.client = {.url = argv[1], .database = {}}});
  send_until_killed(*store);
}
