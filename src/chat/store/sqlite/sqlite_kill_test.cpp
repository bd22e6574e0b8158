// Promise 1 on a real process: kill -9 in the middle of sending, again and again on one database; every message that was
// acknowledged is there, once, where it was said to be.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "chat/store/sqlite/sqlite_store.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

// The child and the reading end of its standard output.
class Victim {
 public:
  explicit Victim(const std::string& database) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(PAYAM_KILL_CHILD, PAYAM_KILL_CHILD, database.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Victim() {
    if (process_ > 0) kill();
    ::close(output_);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // Reads until `lines` more lines were written; false if it ended before.
  bool wait_for(int lines) {
    while (lines > 0) {
      const std::size_t before = text_.size();
      if (!read_some()) return false;
      lines -= static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(before), text_.end(), '\n'));
    }
    return true;
  }
  int kill() {
    ::kill(process_, SIGKILL);
    int status = 0;
    ::waitpid(std::exchange(process_, -1), &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
  }
  // All it ever wrote, after its end; a line cut off was not acknowledged to anybody.
  std::string whole_output() {
    while (read_some()) {
    }
    return text_.substr(0, text_.rfind('\n') + 1);
  }

 private:
  bool read_some() {
    char buffer[4096];
    const auto length = ::read(output_, buffer, sizeof buffer);
    if (length <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(length));
    return true;
  }

  pid_t process_ = -1;
  int output_ = -1;
  std::string text_;
};

TEST(Kill, LosesNothingThatWasAcknowledged) {
  const TemporaryFolder folder;
  const std::string database = (folder.path() / "payam.db").string();
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> acknowledged;  // client_id → seq, rev
  for (const int lines : {1, 40, 7, 150, 1, 300, 90, 20, 500, 3}) {
    Victim victim(database);
    ASSERT_TRUE(victim.wait_for(lines));
    ASSERT_EQ(victim.kill(), SIGKILL);
    std::istringstream output(victim.whole_output());
    std::string client_id;
    std::int64_t seq = 0, rev = 0;
    while (output >> client_id >> seq >> rev) ASSERT_TRUE(acknowledged.emplace(client_id, std::pair(seq, rev)).second);
  }
  ASSERT_GT(acknowledged.size(), 1000u);

  ShardSet shards(1);
  const auto store = open_sqlite_store({.path = database});
  auto read = store->changes_after(RoomId("r"), UserId("u"), Rev{0}, {1'000'000, 1 << 30});
  const auto all = asio::co_spawn(shards[0].executor(), std::move(read), asio::use_future).get().value();
  ASSERT_EQ(all.changes.size(), 1u);  // the room's creation, once
  std::int64_t seq = 0;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> stored;
  for (const Message& message : all.messages) {
    ASSERT_EQ(message.seq.value, ++seq);
    ASSERT_EQ(message.rev.value, seq + 1);
    ASSERT_EQ("c" + message.content.substr(8), message.client_id);
    ASSERT_TRUE(stored.emplace(*message.client_id, std::pair(message.seq.value, message.rev.value)).second) << "there twice";
  }
  for (const auto& [client_id, place] : acknowledged) {
    const auto found = stored.find(client_id);
    ASSERT_NE(found, stored.end()) << client_id << " is lost";
    ASSERT_EQ(found->second, place);
  }
}

}  // namespace
}  // namespace payam::chat
