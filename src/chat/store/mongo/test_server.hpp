// The tests' MongoDB server (tests/mongo/MongoTestServer.java): one process for a whole test program, a database a test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace payam::chat::mongo {

class TestServer {
 public:
  // `file`: where it keeps its data from one life to the next; nullptr: nowhere. Returns when it accepts connections.
  explicit TestServer(const std::filesystem::path* file = nullptr, int port = 0);
  ~TestServer() { kill(); }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // SIGKILL, and waits for its end.
  void kill();

  int port() const { return port_; }
  std::string url() const { return "mongodb://127.0.0.1:" + std::to_string(port_); }
  pid_t process() const { return process_; }

  // The one that all tests of a program share; ends with it.
  static TestServer& shared();
  // A database name nobody had before.
  static std::string new_database();

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int port_ = 0;
};

}  // namespace payam::chat::mongo
