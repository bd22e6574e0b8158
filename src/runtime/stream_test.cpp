#include "runtime/stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace payam {
namespace {

struct Pair {
  TcpSocket server;
  TcpSocket client;
};

Pair connect(asio::io_context& context) {
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(context.get_executor(), {asio::ip::address_v4::loopback(), 0});
  TcpSocket client(context.get_executor());
  client.connect(acceptor.local_endpoint());
  return {acceptor.accept(), std::move(client)};
}

struct Reader final : StreamHandler {
  void on_readable() override {
    std::array<char, 64> buffer;
    const IoResult result = stream->read(buffer);
    if (result.status == IoStatus::end) ended = true;
    if (result.status != IoStatus::ok) return;
    got.append(buffer.data(), result.bytes);
    stream->want_read();
  }
  void on_writable() override {}

  std::shared_ptr<Stream> stream;
  std::string got;
  bool ended = false;
};

IoResult write(Stream& stream, std::string_view text) {
  const iovec part{const_cast<char*>(text.data()), text.size()};
  return stream.write({&part, 1});
}

TEST(Stream, TellsWhenThereIsSomethingToRead) {
  asio::io_context context;
  Shard shard(0, context);
  auto [server, client] = connect(context);
  Reader reader;
  reader.stream = Stream::plain(shard, std::move(server));
  reader.stream->attach(&reader);
  std::array<char, 8> buffer;
  EXPECT_EQ(reader.stream->read(buffer).status, IoStatus::would_block);
  reader.stream->want_read();
  client.send(asio::buffer("hello", 5));
  client.shutdown(TcpSocket::shutdown_send);
  context.run();
  EXPECT_EQ(reader.got, "hello");
  EXPECT_TRUE(reader.ended);
}

TEST(Stream, GoesOnReadingAfterItFinishedWriting) {
  asio::io_context context;
  Shard shard(0, context);
  auto [server, client] = connect(context);
  auto stream = Stream::plain(shard, std::move(server));
  EXPECT_EQ(write(*stream, "bye").bytes, 3u);
  stream->finish_writing();
  std::array<char, 8> buffer;
  EXPECT_EQ(client.receive(asio::buffer(buffer)), 3u);
  boost::system::error_code error;
  client.receive(asio::buffer(buffer), 0, error);
  EXPECT_EQ(error, asio::error::eof);
  client.send(asio::buffer("yes", 3));
  Reader reader;
  reader.stream = stream;
  stream->attach(&reader);
  stream->want_read();
  client.close();
  context.run();
  EXPECT_EQ(reader.got, "yes");
}

TEST(Stream, MovesToAnotherShardWithItsConnection) {
  asio::io_context first_context, second_context;
  Shard first(0, first_context), second(1, second_context);
  auto [server, client] = connect(first_context);
  Reader left_behind, reader;
  auto stream = Stream::plain(first, std::move(server));
  left_behind.stream = stream;
  stream->attach(&left_behind);
  stream->want_read();
  client.send(asio::buffer("early", 5));

  reader.stream = stream->move_to(second);
  ASSERT_NE(reader.stream, nullptr);
  EXPECT_FALSE(stream->is_open());
  EXPECT_EQ(&reader.stream->shard(), &second);
  EXPECT_EQ(reader.stream->peer(), asio::ip::make_address("127.0.0.1"));
  reader.stream->attach(&reader);
  reader.stream->want_read();
  EXPECT_EQ(write(*reader.stream, "hi").bytes, 2u);
  client.shutdown(TcpSocket::shutdown_send);
  first_context.run();
  second_context.run();
  EXPECT_EQ(left_behind.got, "");
  EXPECT_EQ(reader.got, "early");
  EXPECT_TRUE(reader.ended);
}

}  // namespace
}  // namespace payam
