#include "conformance/engineio_servers.hpp"

#include <charconv>
#include <string>

namespace payam::conformance {
namespace {

using eio::EncodedPacket;
using eio::PacketType;

class Echo : public eio::SessionHandler {
 public:
  explicit Echo(std::shared_ptr<eio::Session> session) : session_(std::move(session)) {}

  void on_text(std::string_view data) override { send(data); }
  void on_binary(std::string_view data) override { session_->send(EncodedPacket::binary(data), {}); }
  void on_close(eio::CloseReason) override {}

 protected:
  void send(std::string_view text) { session_->send(EncodedPacket::text(PacketType::message, text), {}); }

  const std::shared_ptr<eio::Session> session_;
};

class Commands final : public Echo {
 public:
  using Echo::Echo;

  void on_text(std::string_view data) override {
    if (data == "close") {
      send("last words");
      session_->close();
    } else if (data.starts_with("burst ")) {
      int count = 0;
      std::from_chars(data.data() + 6, data.data() + data.size(), count);
      for (int i = 0; i < count && session_->is_open(); ++i) send(std::to_string(i));
    } else {
      send(data);
    }
  }
};

template <class Handler>
std::unique_ptr<eio::Server> make_server(std::vector<Shard*> shards, eio::Options options) {
  options.cors = eio::Options::Cors{.origins = {"*"}};
  return std::make_unique<eio::Server>(std::move(shards), std::move(options), [](std::shared_ptr<eio::Session> session) {
    return std::make_unique<Handler>(std::move(session));
  });
}

}  // namespace

std::unique_ptr<eio::Server> make_echo_server(std::vector<Shard*> shards) {
  return make_server<Echo>(std::move(shards), {.ping_interval = Millis(300), .ping_timeout = Millis(200)});
}

std::unique_ptr<eio::Server> make_command_server(std::vector<Shard*> shards) {
  eio::Options options;
  options.permessage_deflate = eio::Options::Deflate{};
  options.allow_request = [](const http::Request& request) -> std::optional<std::string> {
    const auto reason = request.query.find("refuse");
    return reason ? std::optional<std::string>(*reason) : std::nullopt;
  };
  return make_server<Commands>(std::move(shards), std::move(options));
}

std::unique_ptr<eio::Server> make_version_3_server(std::vector<Shard*> shards) {
  eio::Options options;
  options.allow_eio3 = true;
  return make_server<Commands>(std::move(shards), std::move(options));
}

}  // namespace payam::conformance
