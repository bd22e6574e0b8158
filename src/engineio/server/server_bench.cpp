#include "engineio/server/server_bench.hpp"

#include <array>

#include "engineio/websocket/deflate.hpp"

namespace payam::eio {
namespace {

class EchoHandler final : public SessionHandler {
 public:
  EchoHandler(std::shared_ptr<Session> session, std::shared_ptr<void> keep, std::vector<std::string>& events,
              const std::function<void(Session&, std::string_view)>& on_text)
      : session_(std::move(session)), keep_(std::move(keep)), events_(events), on_text_(on_text) {}

  void on_text(std::string_view data) override {
    events_.push_back("text " + std::string(data));
    if (on_text_) return on_text_(*session_, data);
    session_->send(EncodedPacket::text(PacketType::message, data), {});
  }
  void on_binary(std::string_view data) override {
    events_.push_back("binary " + std::string(data));
    session_->send(EncodedPacket::binary(data), {});
  }
  void on_close(CloseReason reason) override { events_.push_back("close " + std::string(to_string(reason))); }

 private:
  std::shared_ptr<Session> session_;
  std::shared_ptr<void> keep_;  // owns the two below
  std::vector<std::string>& events_;
  const std::function<void(Session&, std::string_view)>& on_text_;
};

}  // namespace

void Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    boost::system::error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(bytes), error);
    if (error) {
      // After a reset what the server said is still to be read; a full buffer would be the test's own fault.
      EXPECT_NE(error, asio::error::would_block);
      return;
    }
    bytes.remove_prefix(sent);
  }
}

void Peer::send_frame(int first, std::string_view payload) {
  std::string frame{static_cast<char>(first)};
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += '\xff';
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(payload.size() >> shift & 0xff);
  }
  constexpr std::string_view kKey = "\x01\x02\x03\x04";
  frame += kKey;
  for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ kKey[i % 4]);
  send(frame);
}

std::vector<std::string> Peer::frames() {
  std::vector<std::string> frames;
  std::string ending;
  while (reading_ && !over_) {
    std::array<char, 65536> chunk;
    boost::system::error_code error;
    const std::size_t got = socket_.read_some(asio::buffer(chunk), error);
    if (error == asio::error::would_block) break;
    if (error) {
      over_ = true;
      ending = error == asio::error::eof ? "end" : "reset";
      break;
    }
    buffer_.append(chunk.data(), got);
    received_ += got;
  }
  for (;;) {
    if (buffer_.size() < 2) break;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(buffer_[i]); };
    std::size_t length = byte(1), header = 2;
    const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (buffer_.size() < header + extended) break;
    if (extended > 0) length = 0;
    for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(2 + i);
    header += extended;
    if (buffer_.size() < header + length) break;
    const std::string payload = buffer_.substr(header, length);
    switch (byte(0)) {
      case 0x81: frames.push_back("t" + payload); break;
      case 0x82: frames.push_back("b" + payload); break;
      case 0xc1: frames.push_back("zt" + std::string(websocket::Inflater().inflate(payload, 1'000'000).value())); break;
      case 0xc2: frames.push_back("zb" + std::string(websocket::Inflater().inflate(payload, 1'000'000).value())); break;
      case 0x8a: frames.push_back("pong " + payload); break;
      case 0x88:
        frames.push_back(length < 2 ? "close" : "close " + std::to_string((byte(header) << 8) + byte(header + 1)));
        break;
      default: frames.push_back("unknown frame");
    }
    buffer_.erase(0, header + length);
  }
  if (!ending.empty()) frames.push_back(ending);
  return frames;
}

void ServerBench::make_server(Options options) {
  options.on_handler_error = [this](const std::exception& error) { handler_error_ = error.what(); };
  auto on_session = [this](std::shared_ptr<Session> session) -> std::unique_ptr<SessionHandler> {
    auto seen = std::make_shared<Seen>();
    seen->session = session;
    seen_.push_back(seen);
    return std::make_unique<EchoHandler>(std::move(session), seen, seen->events, seen->on_text);
  };
  server_ = std::make_unique<Server>(std::vector<Shard*>{&first_, &second_}, std::move(options), std::move(on_session));
  server_->attach(router_, "/engine.io/");
}

void ServerBench::TearDown() {
  if (server_) {
    server_->shutdown();
    settle();
  }
  for (const auto& seen : seen_) seen->session.reset();
  server_.reset();
  settle();
}

void ServerBench::run_until(const std::function<bool()>& done) {
  const SteadyTime limit = steady_now() + std::chrono::seconds(10);
  while (!done()) {
    if (steady_now() > limit) {
      ADD_FAILURE() << "waited too long";
      return;
    }
    for (auto* context : {&first_context_, &second_context_}) {
      context->restart();
      if (context->poll() == 0) context->run_one_for(std::chrono::microseconds(200));
    }
  }
}

void ServerBench::settle() {
  for (;;) {
    std::size_t ran = 0;
    for (auto* context : {&first_context_, &second_context_}) {
      context->restart();
      ran += context->poll();
    }
    if (ran == 0) return;
  }
}

std::shared_ptr<Answer> ServerBench::begin(http::Method method, std::string query, std::string body, std::size_t on,
                                           std::vector<std::pair<std::string, std::string>> headers) {
  auto answer = std::make_shared<Answer>();
  http::Request& request = answer->request;
  request.method = method;
  request.path = "/engine.io/";
  request.target = request.path + "?" + query;
  request.query = http::Query::parse(query);
  request.body = std::move(body);
  request.peer = "127.0.0.1";
  for (auto& [name, value] : headers) request.headers.add(std::move(name), std::move(value));
  auto run = [](Shard& shard, const http::Router& router, std::shared_ptr<Answer> filled) -> Task<> {
    const auto match = router.match(filled->request.method, filled->request.path);
    http::Response response;
    if (filled->source != nullptr) {
      response = co_await match.route->serve(shard, filled->request, *filled->source);
    } else {
      response = co_await match.route->serve(shard, filled->request);
    }
    filled->status = response.status;
    if (const auto* text = std::get_if<std::string>(&response.body)) filled->body = *text;
    filled->response = std::move(response);
    filled->came = true;
  };
  auto task = run(shard(on), router_, answer);
  asio::co_spawn(shard(on).executor(), std::move(task), [](std::exception_ptr thrown) { EXPECT_FALSE(thrown); });
  return answer;
}

std::shared_ptr<Answer> ServerBench::ask(http::Method method, std::string query, std::string body, std::size_t on,
                                         std::vector<std::pair<std::string, std::string>> headers) {
  auto answer = begin(method, std::move(query), std::move(body), on, std::move(headers));
  run_until([&] { return answer->came; });
  return answer;
}

std::string ServerBench::open_polling(std::size_t on) {
  const auto answer = get("EIO=4&transport=polling", on);
  EXPECT_EQ(answer->status, 200);
  return "EIO=4&transport=polling&sid=" + seen_.back()->session->id();
}

std::shared_ptr<Answer> ServerBench::ask_websocket(std::string query, std::size_t on, std::string extensions) {
  return ask(http::Method::get, std::move(query), {}, on,
             {{"Upgrade", "websocket"},
              {"Connection", "Upgrade"},
              {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
              {"Sec-WebSocket-Version", "13"},
              {"Sec-WebSocket-Extensions", std::move(extensions)}});
}

std::unique_ptr<Peer> ServerBench::open_websocket(std::string query, std::size_t on, std::string early,
                                                  std::string extensions) {
  const auto answer = ask_websocket(std::move(query), on, std::move(extensions));
  EXPECT_EQ(answer->status, 101);
  if (answer->status != 101) return nullptr;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(shard(on).executor(), {asio::ip::address_v4::loopback(), 0});
  TcpSocket client(shard(on).executor());
  client.connect(acceptor.local_endpoint());
  auto stream = Stream::plain(shard(on), acceptor.accept());
  on_shard(on, [&] { answer->response.upgrade(std::move(stream), std::move(early)); });
  return std::make_unique<Peer>(std::move(client));
}

std::vector<std::string> ServerBench::read(Peer& peer, std::size_t count) {
  std::vector<std::string> frames;
  run_until([&] {
    for (auto& frame : peer.frames()) frames.push_back(std::move(frame));
    return frames.size() >= count;
  });
  return frames;
}

}  // namespace payam::eio
