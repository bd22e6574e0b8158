#include "memory/clients.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace payam::bench {
namespace {

constexpr std::size_t kBatch = 1000;  // connections opened between two rounds of the loop

// Masked with a zero key.
std::string text_frame(std::string_view payload) {
  std::string frame = "\x81";
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size());
  }
  return frame.append(4, '\0').append(payload);
}

http::Request upgrade_request(Clients::Headers headers) {
  http::Request request;
  request.method = http::Method::get;
  request.method_name = "GET";
  request.target = "/socket.io/?EIO=4&transport=websocket";
  request.path = "/socket.io/";
  request.query = http::Query::parse("EIO=4&transport=websocket");
  request.peer = "127.0.0.1";
  request.headers.add("Host", "chat.example.org");
  request.headers.add("Upgrade", "websocket");
  request.headers.add("Connection", "Upgrade");
  request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  request.headers.add("Sec-WebSocket-Version", "13");
  if (headers == Clients::Headers::browser) {
    request.headers.add(
        "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36");
    request.headers.add("Origin", "https://chat.example.org");
    request.headers.add("Cache-Control", "no-cache");
    request.headers.add("Pragma", "no-cache");
    request.headers.add("Accept-Encoding", "gzip, deflate, br, zstd");
    request.headers.add("Accept-Language", "fa-IR,fa;q=0.9,en-US;q=0.8,en;q=0.7");
    request.headers.add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
  }
  return request;
}

// A short text frame of a packet "43…".
bool is_ack(const iovec& piece) {
  const std::string_view bytes(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return bytes.size() > 4 && bytes[0] == '\x81' && bytes.substr(2, 2) == "43";
}

}  // namespace

Clients::Clients() = default;

Clients::~Clients() { settle(); }

void Clients::open(std::size_t count, Headers headers) {
  const std::size_t first = streams_.size();
  streams_.reserve(first + count);
  for (std::size_t done = 0; done < count;) {
    const std::size_t begin = streams_.size();
    for (; done < count && streams_.size() - begin < kBatch; ++done) connect(headers);
    settle();
    requests_.clear();
    for (std::size_t i = begin; i < streams_.size(); ++i) say(i, "40");
    settle();
  }
}

void Clients::connect(Headers headers) {
  const auto& request = requests_.emplace_back(std::make_unique<http::Request>(upgrade_request(headers)));
  MemoryPeer& peer = *this;  // a private base, which make_shared cannot see
  const auto& stream =
      streams_.emplace_back(std::make_shared<MemoryStream>(shard_, peer, static_cast<std::uint32_t>(streams_.size())));
  const auto match = router_.match(request->method, request->path);
  auto task = match.route->serve(shard_, *request);
  asio::co_spawn(context_, std::move(task), [stream](const std::exception_ptr& error, http::Response response) {
    if (error || response.status != 101) std::abort();  // nothing here can be refused
    response.upgrade(stream, {});
  });
}

void Clients::say(std::size_t client, std::string_view packet) { streams_[client]->deliver(text_frame(packet)); }

void Clients::settle() {
  do {
    context_.restart();
  } while (context_.poll() > 0);
}

void Clients::run_for(Millis time) {
  context_.restart();
  context_.run_for(time);
}

void Clients::watch_sources(bool on) {
  watching_ = on;
  sources_.clear();
}

void Clients::on_write(MemoryStream& stream, std::span<const iovec> pieces) {
  if (!traffic_.writes_before_ack && std::ranges::any_of(pieces, is_ack)) traffic_.writes_before_ack = traffic_.writes;
  ++traffic_.writes;
  traffic_.frames += pieces.size();
  for (const iovec& piece : pieces) {
    traffic_.bytes += piece.iov_len;
    if (watching_) sources_.insert(piece.iov_base);
    if (piece.iov_len == 3 && std::memcmp(piece.iov_base,
                                          "\x81\x01"
                                          "2",
                                          3) == 0) {
      ++traffic_.pings;
      stream.deliver(text_frame("3"));
    }
  }
}

}  // namespace payam::bench
