// The same server with the MessagePack parser: one binary message a packet.
#include "socketio/decoder.hpp"
#include "socketio/msgpack.hpp"
#include "socketio/server/test_world.hpp"

namespace payam::sio {
namespace {

using namespace testing;

std::string packed(const json::value& value, const std::vector<Binary>& attachments = {}) {
  std::string out;
  write_msgpack(out, value, attachments);
  return out;
}

std::vector<Packet> unpacked(const std::vector<std::string>& messages) {
  std::vector<Packet> out;
  for (const std::string& message : messages) {
    EXPECT_TRUE(message.starts_with('<'));
    auto packet = decode_msgpack(std::string_view(message).substr(1));
    EXPECT_TRUE(packet);
    if (packet) out.push_back(*std::move(packet));
  }
  return out;
}

TEST(Msgpack, ConnectsAnswersAndRecovers) {
  Options options;
  options.parser = Parser::msgpack;
  options.connection_state_recovery.emplace();
  World world(options);
  world.io->on_connection([](SocketPtr socket) {
    socket->on("ask", [socket](std::string text, Binary bytes, Ack ack) {
      socket->emit("asked", text, bytes);
      ack(bytes, json::object{{"n", 1.5}});
    });
  });
  auto client = world.client();
  client->send_binary(packed({{"type", 0}, {"nsp", "/"}, {"data", nullptr}}));
  auto packets = unpacked(client->take());
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].type, PacketType::connect);
  const std::string pid(packets[0].payload.at("pid").as_string());
  const std::string sid(packets[0].payload.at("sid").as_string());

  const json::value ask{{"type", 2}, {"nsp", "/"}, {"id", 3}, {"data", json::array{"ask", "چه", detail::make_placeholder(0)}}};
  client->send_binary(packed(ask, {Binary{"\x01"}}));
  packets = unpacked(client->take());
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].event, "asked");
  EXPECT_EQ(read_argument<Binary>(packets[0].arguments, 1), Binary{"\x01"});
  EXPECT_EQ(read_argument<std::string>(packets[0].arguments, 2), "1");  // the offset
  EXPECT_EQ(packets[1].type, PacketType::ack);
  EXPECT_EQ(packets[1].id, 3u);
  EXPECT_EQ(packets[1].arguments.values.at(1).at("n"), 1.5);

  client->end();
  world.io->emit_raw("missed", R"({"a":[1]})");
  world.run();
  client = world.client();
  client->send_binary(packed({{"type", 0}, {"nsp", "/"}, {"data", {{"pid", pid}, {"offset", "1"}}}}));
  packets = unpacked(client->take());
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].event, "missed");
  EXPECT_EQ(packets[1].payload.at("sid").as_string(), sid);

  client->send("2[\"text\"]");
  EXPECT_FALSE(client->is_open());
}

}  // namespace
}  // namespace payam::sio
