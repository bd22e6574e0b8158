// What the server's tests share: a server on loops run by hand, requests without HTTP, websockets over loopback.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engineio/server/server.hpp"
#include "http/server/router.hpp"
#include "runtime/shard.hpp"
#include "runtime/stream.hpp"

namespace payam::eio {

// The answer to a request, filled in when it comes.
struct Answer {
  bool came = false;
  int status = 0;
  std::string body;
  http::Response response;
  http::Request request;               // lives as long as its handler needs it
  http::BodySource* source = nullptr;  // of its body, if it does not come whole; outlives the answer
};

// A client's connection.
class Peer {
 public:
  explicit Peer(TcpSocket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }

  void send(std::string_view bytes);
  // A masked frame; `first` is its whole first byte.
  void send_frame(int first, std::string_view payload);
  void send_text(std::string_view text) { send_frame(0x81, text); }

  // Reads what is there. Of the whole frames: `t4hello`, `b…` (`zt…`, `zb…` if they were compressed), `close 1000`, `pong x`;
  // "end" after the connection's end, "reset" if it was reset.
  std::vector<std::string> frames();
  std::size_t bytes_received() const { return received_; }
  void stop_reading() { reading_ = false; }
  void go_on_reading() { reading_ = true; }
  void close() { socket_.close(); }

 private:
  TcpSocket socket_;
  std::string buffer_;
  std::size_t received_ = 0;
  bool reading_ = true;
  bool over_ = false;
};

// Two shards on one thread, so that every order of events is the test's own.
class ServerBench : public testing::Test {
 protected:
  // What an application sees of its sessions.
  struct Seen {
    std::vector<std::string> events;  // "text hello", "binary …", "close transport close"
    std::shared_ptr<Session> session;
    std::function<void(Session&, std::string_view)> on_text;  // replaces the echo
  };

  void make_server(Options options = {});
  void TearDown() override;

  // Runs the loops until `done`, 10 s at most.
  void run_until(const std::function<bool()>& done);
  // Until nothing is ready.
  void settle();
  template <class F>
  void on_shard(std::size_t index, F work) {
    bool done = false;
    shard(index).post([&] {
      work();
      done = true;
    });
    run_until([&] { return done; });
  }

  std::shared_ptr<Answer> begin(http::Method method, std::string query, std::string body = {}, std::size_t on = 0,
                                std::vector<std::pair<std::string, std::string>> headers = {});
  std::shared_ptr<Answer> ask(http::Method method, std::string query, std::string body = {}, std::size_t on = 0,
                              std::vector<std::pair<std::string, std::string>> headers = {});
  std::shared_ptr<Answer> get(std::string query, std::size_t on = 0) {
    return ask(http::Method::get, std::move(query), {}, on);
  }

  // Opens a session by polling and gives the query of its requests, sid included.
  std::string open_polling(std::size_t on = 0);
  // The response to a request for a websocket, and its connection if it was 101.
  std::unique_ptr<Peer> open_websocket(std::string query, std::size_t on = 0, std::string early = {},
                                       std::string extensions = {});
  std::shared_ptr<Answer> ask_websocket(std::string query, std::size_t on = 0, std::string extensions = {});

  // Frames until there are at least `count`.
  std::vector<std::string> read(Peer& peer, std::size_t count);

  Shard& shard(std::size_t index) { return index == 0 ? first_ : second_; }

  asio::io_context first_context_, second_context_;
  Shard first_{0, first_context_}, second_{1, second_context_};
  http::Router router_;
  std::vector<std::shared_ptr<Seen>> seen_;
  std::string handler_error_;
  std::unique_ptr<Server> server_;
};

}  // namespace payam::eio
