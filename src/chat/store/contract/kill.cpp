#include "chat/store/contract/kill.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <sstream>
#include <stdexcept>

#include "runtime/shard_set.hpp"

namespace payam::chat {

Victim::Victim(const std::string& program, const std::string& argument) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(program.c_str(), program.c_str(), argument.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

Victim::~Victim() {
  if (process_ > 0) kill();
  ::close(output_);
}

bool Victim::wait_for(int lines) {
  while (lines > 0) {
    const std::size_t before = text_.size();
    if (!read_some()) return false;
    lines -= static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(before), text_.end(), '\n'));
  }
  return true;
}

int Victim::kill() {
  ::kill(process_, SIGKILL);
  int status = 0;
  ::waitpid(std::exchange(process_, -1), &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

std::string Victim::whole_output() {
  while (read_some()) {
  }
  return text_.substr(0, text_.rfind('\n') + 1);
}

bool Victim::read_some() {
  char buffer[4096];
  const auto length = ::read(output_, buffer, sizeof buffer);
  if (length <= 0) return false;
  text_.append(buffer, static_cast<std::size_t>(length));
  return true;
}

void read_acknowledged(const std::string& output, Acknowledged& acknowledged) {
  std::istringstream lines(output);
  std::string client_id;
  std::int64_t seq = 0, rev = 0;
  while (lines >> client_id >> seq >> rev) ASSERT_TRUE(acknowledged.emplace(client_id, std::pair(seq, rev)).second);
}

void verify_acknowledged(Store& store, const Acknowledged& acknowledged) {
  ShardSet shards(1);
  auto read = store.changes_after(RoomId("r"), UserId("u"), Rev{0}, {1'000'000, 1 << 30});
  const auto all = asio::co_spawn(shards[0].executor(), std::move(read), asio::use_future).get().value();
  ASSERT_EQ(all.changes.size(), 1u);  // the room's creation, once
  std::int64_t seq = 0;
  Acknowledged stored;
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

}  // namespace payam::chat
