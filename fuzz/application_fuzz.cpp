// The whole program: routes, events, a store in memory, on connections that are socketpairs. An input is what some clients do:
//
//   input   = mode, (raw | program)         mode: 'p', 'r'; 'P', 'R' with the limits of RATE_LIMITS on
//   raw     = piece size, bytes             one connection, nothing but these bytes, cut in pieces of that size
//   program = step*                         a letter (steps()) and what it takes, see application/input.hpp
//
// Found is whatever ends or stops the process, sanitizers included, and besides: a line of level error in the log (each server
// fault is one), a reply or a frame that is malformed, JSON that does not parse, a whole request without its reply, an event
// without its acknowledgement or with two, a connection that does not end after its client has, and an application that does
// not answer afterwards. What an undocumented status is, http/api/endpoint.hpp asserts.
//
// Threads make it not quite repeatable, and state remains from one input to the next. With PAYAM_FUZZ_HISTORY=FOLDER the inputs
// since the application's start are kept there, to be run again in their order: application_fuzz FOLDER/*.
#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "chat/service/log.hpp"
#include "engineio/websocket/deflate.hpp"
#include "engineio/websocket/frame.hpp"
#include "fuzz/application/input.hpp"
#include "fuzz/application/peer.hpp"
#include "fuzz/application/shapes.hpp"
#include "fuzz/application/world.hpp"

using namespace payam;
using namespace payam::fuzz;
using eio::websocket::Opcode;

namespace {

constexpr std::size_t kPeers = 4;
constexpr std::size_t kSessions = 2;
constexpr std::size_t kSteps = 64;
// An application lives for so many inputs: what it keeps on purpose (messages, sessions that poll no more) then goes.
constexpr std::size_t kApplicationLasts = 4'000;
constexpr std::size_t kMaxRepeated = 256 * 1024;

// --- Frames ----------------------------------------------------------------------------------------------------------

struct FrameForm {
  std::uint8_t flags = eio::websocket::kFin;
  bool masked = true;
};

std::string frame(Opcode opcode, std::string_view payload, FrameForm form = {}) {
  constexpr char kMask[4] = {0x11, 0x22, 0x33, 0x44};
  std::string out;
  out += static_cast<char>(form.flags | static_cast<std::uint8_t>(opcode));
  const auto mask_bit = static_cast<std::uint8_t>(form.masked ? 0x80 : 0);
  const std::size_t more = payload.size() < 126 ? 0 : payload.size() < 65'536 ? 2 : 8;
  out += static_cast<char>(mask_bit | (more == 0 ? payload.size() : more == 2 ? 126U : 127U));
  for (std::size_t i = more; i-- > 0;) out += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  if (!form.masked) return out.append(payload);
  out.append(kMask, sizeof kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ kMask[i % sizeof kMask]);
  return out;
}

// A message whole, in fragments, or compressed.
std::string message_frames(Opcode opcode, const std::string& payload, bool may_deflate, Input& in) {
  static eio::websocket::Deflater deflater;
  switch (in.choose(8)) {
    case 6: {
      const std::size_t cut = payload.size() / 2;
      return frame(opcode, std::string_view(payload).substr(0, cut), {.flags = 0}) + frame(Opcode::ping, "in between") +
             frame(Opcode::continuation, std::string_view(payload).substr(cut));
    }
    case 7:
      if (!may_deflate) break;
      return frame(opcode, deflater.deflate(payload), {.flags = eio::websocket::kFin | eio::websocket::kRsv1});
    default: break;
  }
  return frame(opcode, payload);
}

// --- One input -------------------------------------------------------------------------------------------------------

// A session that polls, by the `sid` its handshake gave, and the packets collected for its next POST.
struct PollingSession {
  std::string sid = {};
  std::string payload = {};
  bool version_3 = false;
};

class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}

  void raw(Input& in) {
    Peer& peer = at(0);
    const unsigned piece = in.choose(64);
    peer.cut(piece == 63 ? 0 : piece + std::size_t{1});
    peer.send_anything(world_.expand(in.rest(), in));
    touched_ = true;
  }

  void program(Input& in) {
    for (std::size_t step = 0; step < kSteps && !in.empty(); ++step) one_step(in);
  }

  // Waits for what is owed, then everybody hangs up.
  void finish() {
    const auto all = open_peers();
    const auto owed = [&] { return std::ranges::any_of(all, [](const Peer* peer) { return peer->is_owed(); }); };
    if (!pump(all, kPatience, [&] { return !owed(); })) find_hang("nothing comes of what is owed");
    for (Peer* peer : all) {
      if (peer->reads()) {
        peer->finish_writing();
      } else {
        peer->close();
      }
    }
    const auto ended = [&] { return std::ranges::none_of(all, [](const Peer* peer) { return peer->is_open(); }); };
    if (!pump(all, kPatience, ended)) find_hang("a connection does not end");
    for (auto& peer : peers_) peer.reset();
  }

  bool touched() const { return touched_; }

 private:
  [[noreturn]] void find_hang(std::string_view what) {
    for (auto& peer : peers_) {
      if (peer && peer->is_open()) peer->object(what);
    }
    find(what, "");
  }

  std::vector<Peer*> open_peers() {
    std::vector<Peer*> all;
    for (auto& peer : peers_) {
      if (peer) all.push_back(peer.get());
    }
    return all;
  }

  Peer& at(std::size_t index) {
    auto& peer = peers_[index];
    if (!peer || !peer->is_open()) peer = world_.connect();
    return *peer;
  }
  Peer& some_peer(Input& in) { return at(in.choose(kPeers)); }

  void settle(Peer& peer) {
    const auto all = open_peers();
    if (!pump(all, kPatience, [&] { return !peer.is_owed(); })) find_hang("nothing comes of what is owed");
  }

  void one_step(Input& in) {
    constexpr std::string_view kLetters = "qwcebfmlpguxntshkaz";
    const char letter = in.letter();
    const bool known = kLetters.find(letter) != kLetters.npos;
    switch (known ? letter : kLetters[static_cast<unsigned char>(letter) % kLetters.size()]) {
      case 'q': return request(in);
      case 'w': return open_websocket(in);
      case 'c': return connect(in);
      case 'e': return event(in);
      case 'b': return binary(in, in.text());
      case 'f': return odd_frame(in);
      case 'm': return odd_message(in);
      case 'l': return open_polling(in);
      case 'p': return post(in);
      case 'g': return poll(in);
      case 'u': return upgrade(in);
      case 'x': return some_peer(in).send_anything(world_.expand(in.text(), in));
      case 'n': return repeat(in);
      case 't': return cut(in);
      case 's': return stop_reading(in);
      case 'h': return some_peer(in).finish_writing();
      case 'k': return some_peer(in).close();
      case 'a': return settle(some_peer(in));
      default: return world_.check_answers();
    }
  }

  void request(Input& in) {
    Peer& peer = some_peer(in);
    MadeRequest made = make_request(world_, in);
    touched_ = touched_ || made.changes_people;
    if (peer.is_websocket() || !made.whole) return peer.send_anything(made.bytes);
    peer.request(made.bytes, {.what = std::move(made.what), .head_only = made.head_only});
  }

  void open_websocket(Input& in, std::string_view sid = {}) {
    Peer& peer = some_peer(in);
    const unsigned version = in.choose(8);
    std::string request = fmt::format("GET /socket.io/?EIO={}&transport=websocket{}{} HTTP/1.1\r\nHost: x\r\n",
                                      version == 7   ? "3"
                                      : version == 6 ? "x"
                                                     : "4",
                                      sid.empty() ? "" : "&sid=", sid);
    request += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const unsigned extra = in.choose(8);
    if (extra % 2 == 1) request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    if (extra >= 6) request += fmt::format("Authorization: Bearer {}\r\n", world_.person(extra).access_token);
    request += "\r\n";
    if (peer.is_websocket()) return peer.send_anything(request);
    peer.request(request, {.what = "a websocket", .upgrade = true});
    if (in.choose(4) != 3) settle(peer);  // else what follows is sent ahead
  }

  // A packet goes to a websocket or into a session's next POST.
  void connect(Input& in) {
    const unsigned where = in.choose(kPeers + kSessions);
    const MadeConnect made = make_connect(world_, in);
    if (where >= kPeers) return add_to_payload(sessions_[where - kPeers], "4" + made.text);
    Peer& peer = at(where);
    if (!peer.is_websocket() || !made.whole) peer.spoil();
    peer.expect_connect();
    peer.send_frames(message_frames(Opcode::text, "4" + made.text, peer.deflates(), in));
    if (in.choose(4) != 3) settle(peer);  // else what follows is sent ahead
  }

  void event(Input& in) {
    const unsigned where = in.choose(kPeers + kSessions);
    const bool wants_ack = in.choose(4) != 3;
    const std::uint64_t id = next_ack_++;
    const MadeEvent made = make_event(world_, in, id, wants_ack);
    if (where >= kPeers) {
      add_to_payload(sessions_[where - kPeers], "4" + made.text);
      for (unsigned i = 0; i < made.attachments; ++i) add_to_payload(sessions_[where - kPeers], "bAAEC");
      return;
    }
    Peer& peer = at(where);
    if (!peer.is_websocket() || !made.whole) peer.spoil();
    if (wants_ack && made.known) peer.expect_ack(id);
    peer.send_frames(message_frames(Opcode::text, "4" + made.text, peer.deflates(), in));
    const unsigned sent = in.rarely(8) ? 0 : made.attachments;
    if (sent != made.attachments) peer.spoil();
    for (unsigned i = 0; i < sent; ++i) peer.send_frames(message_frames(Opcode::binary, "\1\2\3", peer.deflates(), in));
  }

  void binary(Input& in, const std::string& payload) {
    const unsigned where = in.choose(kPeers + kSessions);
    if (where >= kPeers) return add_to_payload(sessions_[where - kPeers], "b" + base64_encode(payload));
    Peer& peer = at(where);
    peer.spoil();
    peer.send_frames(message_frames(Opcode::binary, payload, peer.deflates(), in));
  }

  void odd_frame(Input& in) {
    Peer& peer = some_peer(in);
    const auto flags = static_cast<std::uint8_t>(in.choose(16) << 4);
    const auto opcode = static_cast<Opcode>(in.choose(16));
    const bool masked = !in.rarely(8);
    peer.send_anything(frame(opcode, world_.expand(in.text(), in), {.flags = flags, .masked = masked}));
  }

  void odd_message(Input& in) {
    Peer& peer = some_peer(in);
    peer.spoil();
    peer.send_frames(message_frames(Opcode::text, world_.expand(in.text(), in), peer.deflates(), in));
  }

  // --- Polling

  void add_to_payload(PollingSession& session, const std::string& packet) {
    if (session.version_3) {
      session.payload += fmt::format("{}:{}", packet.size(), packet);
    } else {
      if (!session.payload.empty()) session.payload += '\x1e';
      session.payload += packet;
    }
  }

  void open_polling(Input& in) {
    Peer& peer = some_peer(in);
    PollingSession& session = sessions_[in.choose(kSessions)];
    session = {.sid = "none", .version_3 = in.rarely(6)};
    if (peer.is_websocket()) return;
    const auto then = [&session](const Reply& reply) {
      const auto sid = reply.body.find("\"sid\":\"");
      if (reply.status == 200 && sid != std::string::npos) {
        session.sid = reply.body.substr(sid + 7, reply.body.find('"', sid + 7) - sid - 7);
      }
    };
    peer.request(fmt::format("GET /socket.io/?EIO={}&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n", session.version_3 ? 3 : 4),
                 {.what = "a handshake", .then = then});
    settle(peer);
  }

  void post(Input& in) {
    Peer& peer = some_peer(in);
    PollingSession& session = sessions_[in.choose(kSessions)];
    std::string body = std::exchange(session.payload, {});
    if (in.rarely(6)) body += in.text();
    const std::string_view type = in.rarely(6) ? "application/octet-stream" : "text/plain;charset=UTF-8";
    const bool short_body = in.rarely(8);
    const std::string request = fmt::format(
        "POST /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: "
        "{}\r\n\r\n{}",
        session.sid, type, body.size() + (short_body ? 5 : 0), body);
    if (peer.is_websocket() || short_body) return peer.send_anything(request);
    peer.request(request, {.what = "a post"});
  }

  void poll(Input& in) {
    Peer& peer = some_peer(in);
    const PollingSession& session = sessions_[in.choose(kSessions)];
    const std::string request =
        fmt::format("GET /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: x\r\n\r\n", session.sid);
    if (peer.is_websocket()) return peer.send_anything(request);
    peer.request(request, {.what = "a poll", .may_wait = true});
  }

  void upgrade(Input& in) {
    const PollingSession& session = sessions_[in.choose(kSessions)];
    open_websocket(in, session.sid.empty() ? "none" : session.sid);
    const unsigned where = in.choose(kPeers);
    if (Peer& peer = at(where); peer.is_websocket()) {
      peer.send_frames(frame(Opcode::text, "2probe"));
      if (in.choose(4) != 3) peer.send_frames(frame(Opcode::text, "5"));
    }
  }

  // --- The bytes' way

  void repeat(Input& in) {
    Peer& peer = some_peer(in);
    const std::size_t doublings = in.choose(17);
    const std::string text = world_.expand(in.text(), in);
    if (text.empty()) return;
    std::string all;
    for (std::size_t i = 0; i < std::size_t{1} << doublings && all.size() + text.size() <= kMaxRepeated; ++i) all += text;
    peer.send_anything(all);
  }

  void cut(Input& in) {
    Peer& peer = some_peer(in);
    peer.cut(in.choose(32));
  }

  void stop_reading(Input& in) {
    Peer& peer = some_peer(in);
    peer.read(in.choose(2) == 1);
  }

  World& world_;
  std::array<std::unique_ptr<Peer>, kPeers> peers_;
  std::array<PollingSession, kSessions> sessions_;
  std::uint64_t next_ack_ = 0;
  bool touched_ = false;
};

// --- The log ---------------------------------------------------------------------------------------------------------

// A line of level error is a find: but for 503, which is how a server says that too much is asked at once.
class ErrorsAreFound final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line(message.payload.data(), message.payload.size());
    if (message.level >= spdlog::level::err && line.find("status=503") == line.npos) find("an error in the log", line);
  }
  void flush_() override {}
};

void keep(std::string_view folder, std::size_t number, std::string_view bytes) {
  std::ofstream(std::filesystem::path(folder) / fmt::format("{:05}", number), std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("payam", std::make_shared<ErrorsAreFound>()));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<World> worlds[2];
  static const char* const history = std::getenv("PAYAM_FUZZ_HISTORY");
  Input in({reinterpret_cast<const char*>(data), size});
  const char mode = in.letter();
  const bool limited = mode == 'P' || mode == 'R';
  const bool raw = mode == 'r' || mode == 'R';
  auto& world = worlds[limited ? 1 : 0];
  if (!world || world->age() >= kApplicationLasts) {
    world.reset();
    world = std::make_unique<World>(limited ? World::Limits::on : World::Limits::off);
  }
  if (history != nullptr) keep(history, world->age(), {reinterpret_cast<const char*>(data), size});
  Clients clients(*world);
  raw ? clients.raw(in) : clients.program(in);
  clients.finish();
  world->check_alive(clients.touched());
  return 0;
}
