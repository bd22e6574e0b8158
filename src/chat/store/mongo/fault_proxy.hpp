// A TCP proxy before the tests' MongoDB server that spoils one chosen command. What the library says by itself (hello, ping,
// endSessions) is not counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace payam::chat::mongo {

class FaultProxy {
 public:
  enum class Fault {
    error_reply,     // the server never sees it; the answer is an error that says nothing
    closed_before,   // the connection ends and the server never sees it
    closed_after,    // the server has done it, the connection ends before its answer
    never_answered,  // the server has done it, its answer is lost and the connection stays
  };

  explicit FaultProxy(int server_port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::string url() const { return "mongodb://127.0.0.1:" + std::to_string(port_); }
  // The `command`-th from now on, counted from 1.
  void fail_at(std::int64_t command, Fault fault);
  void repair() { fail_at(0, Fault::error_reply); }
  std::int64_t commands() const { return commands_; }  // since fail_at()
  std::string last_command() const;                    // its bytes

 private:
  void accept_loop();
  void serve(int client);

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> commands_ = 0;
  std::atomic<std::int64_t> fails_at_ = 0;
  std::atomic<Fault> fault_ = Fault::error_reply;

  mutable std::mutex mutex_;
  std::string last_;
  std::vector<int> sockets_;  // open ones, to be shut at the end
  std::vector<std::thread> threads_;
};

}  // namespace payam::chat::mongo
