// For tests: the Socket.IO side beside the REST side, without a network. Sockets live on either shard; a test's thread talks to
// them.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "chat/api/publisher.hpp"
#include "chat/api/realtime.hpp"
#include "chat/api/testing/rest_fixture.hpp"
#include "engineio/server/server.hpp"
#include "payam/sio/server.hpp"
#include "socketio/server/server_impl.hpp"

namespace payam::chat::api::testing {

using namespace std::chrono_literals;

// What the library sends, kept as text.
class RecordingSession final : public eio::Session {
 public:
  RecordingSession(Shard& shard, eio::Handshake handshake) : shard_(shard), handshake_(std::move(handshake)) {}

  const std::string& id() const override { return id_; }
  Shard& shard() const override { return shard_; }
  const eio::Handshake& handshake() const override { return handshake_; }
  eio::Transport transport() const override { return eio::Transport::websocket; }
  eio::Protocol protocol() const override { return eio::Protocol::v4; }
  bool is_open() const override { return open_; }
  std::size_t buffered_bytes() const override { return 0; }
  using eio::Session::send;
  bool send(std::span<const eio::PacketRef> packets, SendOptions) override {
    const std::lock_guard lock(mutex_);
    for (const auto& packet : packets) received_.emplace_back(packet->payload().substr(1));
    changed_.notify_all();
    return open_;
  }
  void close() override { end(eio::CloseReason::forced_close); }
  void terminate(eio::CloseReason reason) override { end(reason); }
  void end(eio::CloseReason reason) {
    if (!open_) return;
    open_ = false;
    handler->on_close(reason);
    shard_.post([held = std::move(handler)] {});
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // The first packet not taken yet that satisfies `wanted`, waiting for it; "" if it does not come. Any thread.
  std::string take(const std::function<bool(const std::string&)>& wanted) {
    std::unique_lock lock(mutex_);
    std::string found;
    changed_.wait_for(lock, 10s, [&] {
      const auto packet = std::ranges::find_if(received_, wanted);
      if (packet == received_.end()) return false;
      found = *packet;
      received_.erase(packet);
      return true;
    });
    return found;
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return {received_.begin(), received_.end()};
  }
  bool wait_refused_or_closed() {
    std::unique_lock lock(mutex_);
    const auto is_refusal = [](const std::string& packet) { return packet.starts_with("4{"); };
    return changed_.wait_for(lock, 10s, [&] { return closed_ || std::ranges::any_of(received_, is_refusal); });
  }
  bool wait_closed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return closed_; });
  }

  std::shared_ptr<eio::SessionHandler> handler;  // the shard's

 private:
  Shard& shard_;
  const eio::Handshake handshake_;
  const std::string id_ = "session";
  bool open_ = true;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> received_;
  bool closed_ = false;
};

class Client {
 public:
  Client(sio::Server& io, Shard& shard, eio::Handshake handshake = {})
      : session_(std::make_shared<RecordingSession>(shard, std::move(handshake))) {
    on_shard([this, &io] { session_->handler = io.impl().open(session_); });
  }
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The connection ends; the disconnect handlers have run.
  void leave() {
    on_shard([this] { session_->end(eio::CloseReason::transport_close); });
    on_shard([] {});
  }

  // CONNECT; the packet that answers: `0{…}` or `4{…}`.
  std::string connect(const std::string& auth) {
    send("0" + auth);
    return session_->take([](const std::string& packet) { return packet.starts_with("0{") || packet.starts_with("4{"); });
  }

  void send(std::string packet) {
    on_shard([&] {
      if (session_->handler != nullptr) session_->handler->on_text(packet);
    });
  }
  void emit(std::string_view event, const json::value& data) { send("2" + json::serialize(json::array{event, data})); }
  // The acknowledgement's first argument.
  json::value ask(std::string_view event, const json::value& data) {
    return ask_raw(json::serialize(json::array{event, data}));
  }
  json::value ask_raw(const std::string& arguments) {
    const std::string id = std::to_string(++last_id_);
    send("2" + id + arguments);
    const std::string prefix = "3" + id + "[";
    const std::string packet = session_->take([&](const std::string& candidate) { return candidate.starts_with(prefix); });
    EXPECT_NE(packet, "") << "no acknowledgement of " << arguments;
    return packet.empty() ? json::value() : parse_deep(packet.substr(prefix.size() - 1)).at(0);
  }
  // The next event of that name: its first argument.
  json::value event(std::string_view name) {
    const std::string prefix = "2[\"" + std::string(name) + "\"";
    const std::string packet = session_->take([&](const std::string& candidate) { return candidate.starts_with(prefix); });
    EXPECT_NE(packet, "") << "no " << name;
    if (packet.empty()) return {};
    const json::value arguments = parse_deep(packet.substr(1));
    return arguments.as_array().size() > 1 ? arguments.at(1) : json::value();
  }
  // Events of that name that have come and were not taken. What the server sent before now has come: an answer was waited for.
  std::vector<json::value> events(std::string_view name) {
    ask("get_online_users", json::object{});
    const std::string prefix = "2[\"" + std::string(name) + "\"";
    std::vector<json::value> list;
    for (const std::string& packet : session_->all()) {
      if (packet.starts_with(prefix)) list.push_back(parse_deep(packet.substr(1)).at(1));
    }
    return list;
  }
  bool wait_closed() { return session_->wait_closed(); }
  // Waits until a CONNECT was refused, or the connection ended.
  bool refused_or_closed() { return session_->wait_refused_or_closed(); }

 private:
  // An answer may quote what it refuses.
  static json::value parse_deep(const std::string& text) {
    json::parse_options options;
    options.max_depth = 256;
    return json::parse(text, {}, options);
  }
  void on_shard(std::function<void()> work) {
    std::promise<void> done;
    session_->shard().post([&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }

  std::shared_ptr<RecordingSession> session_;
  int last_id_ = 0;
};

class SocketFixture : public RestFixture {
 protected:
  SocketFixture() {
    announce_ = [this](const PresenceChange& change, const std::vector<UserId>& audience) {
      publisher_.announce(change, audience);
    };
    close_sockets_ = [this](const auto& whose, SessionEnd why) { publisher_.close(whose, why); };
    store_->observe([this](std::span<const Commit> commits) { publisher_.publish(commits); });
  }
  ~SocketFixture() override {
    clients_.clear();
    io_.close();
    EXPECT_TRUE(io_.wait(10s));
    end_presence();
    store_.reset();  // nothing is published any more
  }

  // A connected client of `token`'s user.
  Client& join(const std::string& token, int shard = 0) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>(io_, shards_[shard]));
    const std::string answer = client.connect(json::serialize(json::object{{"token", token}}));
    EXPECT_TRUE(answer.starts_with("0{\"sid\"")) << answer;
    return client;
  }

  std::vector<Shard*> both() { return {&shards_[0], &shards_[1]}; }

  static sio::Options options(const Tokens& tokens) {
    sio::Options result;
    result.connection_state_recovery = recovery_for_who_asks(tokens);
    result.on_exception = [](std::string_view where, const std::exception& error) {
      ADD_FAILURE() << where << ": " << error.what();
    };
    return result;
  }

  MembershipEpochs epochs_;
  sio::Server io_{both(), options(tokens_)};
  Publisher publisher_{io_, epochs_};
  EventMeters event_meters_{2};
  Realtime realtime_{io_, services_, epochs_, event_meters_, 50ms};
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace payam::chat::api::testing
