#include "chat/store/mongo/test_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <utility>

namespace payam::chat::mongo {
namespace {

constexpr int kStartSeconds = 60;  // a JVM that compiles its source, on a busy machine

// Between fork and exec the child of a program with threads may allocate nothing: another thread may have held the lock.
[[noreturn]] void become_server(int output, const char* jars, const char* source, const char* file, const char* port) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it never outlives the test
  ::dup2(output, STDOUT_FILENO);
  ::execlp("java", "java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", jars, source, file, port, nullptr);
  ::_exit(127);
}

}  // namespace

TestServer::TestServer(const std::filesystem::path* file, int port) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string path = file != nullptr ? file->string() : "memory";
  const std::string at = std::to_string(port);
  const std::string jars = std::string(PAYAM_SOURCE_DIR) + "/build/mongo-test-server/*";
  const std::string source = std::string(PAYAM_SOURCE_DIR) + "/tests/mongo/MongoTestServer.java";
  process_ = ::fork();
  if (process_ == 0) become_server(ends[1], jars.c_str(), source.c_str(), path.c_str(), at.c_str());
  ::close(ends[1]);
  output_ = ends[0];
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd waiting{output_, POLLIN, 0};
    char buffer[256];
    const bool ready = ::poll(&waiting, 1, kStartSeconds * 1000) > 0;
    const auto length = ready ? ::read(output_, buffer, sizeof buffer) : 0;
    if (length <= 0) {
      kill();
      throw std::runtime_error("the MongoDB test server did not start: `tools/install test` brings it, java runs it");
    }
    line.append(buffer, static_cast<std::size_t>(length));
  }
  port_ = std::stoi(line.substr(line.find(' ')));
}

void TestServer::kill() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(std::exchange(process_, -1), nullptr, 0);
  }
  if (output_ >= 0) ::close(std::exchange(output_, -1));
}

TestServer& TestServer::shared() {
  static TestServer server;
  return server;
}

std::string TestServer::new_database() {
  static std::atomic<int> count = 0;
  return "test" + std::to_string(++count);
}

}  // namespace payam::chat::mongo
