#include "http/server/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/range.hpp"
#include "http/server/byte_source.hpp"
#include "http/server/wire_client.hpp"
#include "runtime/completion.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/stream.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A latch with a limit: what a handler does is seen by the test.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait(int count = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

struct Seen {
  std::string id, method, path, pattern, fault;
  int status;
};

// A handler that waits until the test lets it go.
struct Gate {
  std::mutex mutex;
  std::optional<Completion<std::monostate>> waiter;
  Signal waiting, aborted;

  void open() {
    const std::lock_guard lock(mutex);
    if (waiter) (*waiter)(std::monostate{});
    waiter.reset();
  }
  Handler handler() {
    return [this](Shard&, Request& request) -> Task<Response> {
      request.on_abort = [this] { aborted.set(); };
      auto start = [this](Completion<std::monostate> done) {
        {
          const std::lock_guard lock(mutex);
          waiter.emplace(std::move(done));
        }
        waiting.set();
      };
      co_await await_completion<std::monostate>(start);
      co_return Response::text(200, "let go");
    };
  }
};

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.port = 0;
    options_.limits.linger_time = Millis{300};  // several tests wait it out
  }
  void TearDown() override { stop(); }

  // With the routes of the test and some that every test may use.
  void start() {
    router_.add(Method::get, "/hello", [](Shard&, Request& request) -> Task<Response> {
      co_return Response::text(200, "hello " + std::string(request.query.find("name").value_or("world")));
    });
    router_.add(Method::post, "/echo",
                [](Shard&, Request& request) -> Task<Response> { co_return Response::text(200, request.body); },
                {.max_body = 100'000});
    options_.on_request = [this](const RequestRecord& record) {
      const std::lock_guard lock(mutex_);
      seen_.push_back({std::string(record.id), std::string(record.method), std::string(record.path),
                       std::string(record.pattern), std::string(record.fault), record.status});
      recorded_.set();
    };
    server_ = std::make_unique<Server>(std::vector<Shard*>{&shards_[0], &shards_[1]}, std::move(router_), options_);
    server_->start();
  }
  void stop() { server_.reset(); }

  WireClient connect(const char* from = nullptr) { return WireClient(server_->port(), 0, from); }
  WireResponse ask(std::string_view bytes, const char* from = nullptr) {
    WireClient client(server_->port(), 0, from);
    client.send(bytes);
    return client.response();
  }
  std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  bool wait_until_empty() {
    for (int i = 0; i < 10'000 && server_->connections() > 0; ++i) std::this_thread::yield();
    for (int i = 0; i < 1000 && server_->connections() > 0; ++i) std::this_thread::sleep_for(Millis{10});
    return server_->connections() == 0;
  }

  ShardSet shards_{2};
  Router router_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::mutex mutex_;
  std::vector<Seen> seen_;
  Signal recorded_;
};

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, AnswersARequest) {
  start();
  const auto response = ask("GET /hello?name=%D8%B3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello س");
  EXPECT_EQ(response.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.header("Content-Length"), "8");
  EXPECT_THAT(response.header("Date"), testing::EndsWith(" GMT"));
  EXPECT_EQ(response.header("Connection"), "");
  ASSERT_TRUE(recorded_.wait());
  EXPECT_EQ(seen()[0].id, response.header("X-Request-ID"));
  EXPECT_EQ(seen()[0].path, "/hello");
  EXPECT_EQ(seen()[0].status, 200);
}

TEST_F(ServerTest, KeepsTheConnectionForMoreRequests) {
  start();
  auto client = connect();
  std::string first_id;
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    const auto response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.header("X-Request-ID"), first_id);
    first_id = response.header("X-Request-ID");
  }
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
  const auto last = client.response();
  EXPECT_EQ(last.body, "hi");
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 500; ++i) all += "GET /hello?name=" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::thread writer([&] { client.send(all); });
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.response().body, "hello " + std::to_string(i));
  writer.join();
}

TEST_F(ServerTest, RequestsMayArriveByteByByte) {
  start();
  auto client = connect();
  client.send_bytewise("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(client.response().body, "hello!");
  client.send_bytewise(kGet);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(ServerTest, HeadHasTheFieldsOfGetAndNoBody) {
  start();
  auto client = connect();
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto response = client.response(true);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Content-Length"), "11");
  client.send(kGet);
  EXPECT_EQ(client.response().body, "hello world");
}

TEST_F(ServerTest, OldClientsAreServedAndClosed) {
  start();
  auto client = connect();
  client.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.response().header("Connection"), "close");
  EXPECT_EQ(client.rest(), "");
  auto keeping = connect();
  keeping.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(keeping.response().header("Connection"), "keep-alive");
}

TEST_F(ServerTest, UnknownPathsAndWrongMethodsAreJson) {
  start();
  const auto unknown = ask("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"detail":"Not Found"})");
  EXPECT_NE(unknown.header("X-Request-ID"), "");
  const auto wrong = ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "GET, HEAD");
  EXPECT_EQ(wrong.body, R"({"detail":"Method Not Allowed"})");
  // The body of a request without route is taken, and the connection goes on.
  auto client = connect();
  client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + std::string(kGet));
  EXPECT_EQ(client.response().status, 404);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndClosed) {
  start();
  for (const std::string_view bytes :
       {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello "
        "HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "nonsense\r\n\r\n"}) {
    auto client = connect();
    client.send(bytes);
    const auto response = client.response();
    EXPECT_EQ(response.status, 400) << bytes;
    EXPECT_EQ(response.body, R"({"detail":"Bad Request"})");
    EXPECT_EQ(response.header("Connection"), "close");
    EXPECT_NE(response.header("X-Request-ID"), "");
    EXPECT_EQ(client.rest(), "") << "no second answer";
  }
  ASSERT_TRUE(recorded_.wait(4));
  EXPECT_EQ(seen()[3].status, 400);
}

TEST_F(ServerTest, HeadsHaveALimit) {
  options_.limits.head_bytes = 1000;
  start();
  auto client = connect();
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'x'));
  EXPECT_EQ(client.response().status, 431);
  EXPECT_EQ(client.rest(), "");
}

TEST_F(ServerTest, BodiesHaveALimitBeforeTheyAreSent) {
  start();
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
  EXPECT_EQ(client.response().status, 413);
  EXPECT_EQ(client.rest(), "");
}

TEST_F(ServerTest, AChunkedBodyIsCutOffAtTheLimit) {
  start();
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
  for (int i = 0; i < 7; ++i) client.send(chunk);
  EXPECT_EQ(client.response().status, 413);
}

TEST_F(ServerTest, BodiesHeldAtOnceHaveALimitTogether) {
  options_.limits.bodies.total = 50'000;
  Gate gate;
  router_.add(Method::post, "/wait", gate.handler());
  start();
  auto first = connect();
  first.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + std::string(40'000, 'a'));
  ASSERT_TRUE(gate.waiting.wait());
  const std::string more = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + std::string(20'000, 'b');
  const auto refused = ask(more);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  gate.open();
  EXPECT_EQ(first.response().status, 200);
  EXPECT_EQ(ask(more).body.size(), 20'000u);
}

constexpr const char* kGreedy = "127.0.0.1";
constexpr const char* kBystander = "127.0.0.9";

TEST_F(ServerTest, BodiesThatStayOneByteShortCostOneAddressItsOwnBound) {
  options_.limits.bodies = {.address = 300'000, .total = 1'000'000};
  start();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
  std::vector<std::unique_ptr<WireClient>> greedy;
  for (int i = 0; i < 20; ++i) {
    greedy.push_back(std::make_unique<WireClient>(server_->port(), 0, kGreedy));
    greedy.back()->send(head + std::string(99'999, 'x'));
  }
  ASSERT_TRUE(recorded_.wait(17)) << "three fit";
  for (const auto& client : greedy) {
    pollfd answered{client->descriptor(), POLLIN, 0};
    if (::poll(&answered, 1, 0) != 1) continue;
    const auto response = client->response();
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.header("Retry-After"), "1");
    EXPECT_EQ(response.header("Connection"), "close");
  }
  EXPECT_GE(server_->body_budget().refused(Budget::Over::address), 17u);
  EXPECT_LE(server_->body_budget().held(), 300'000u);
  EXPECT_EQ(ask(head + std::string(100'000, 'y'), kBystander).status, 200);
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", kGreedy).body, "hi")
      << "what comes at once waits for nothing";
  greedy.clear();
  EXPECT_TRUE(wait_until_empty());
  EXPECT_EQ(server_->body_budget().held(), 0u);
}

TEST_F(ServerTest, ABodyTakesNoMoreThanHasArrived) {
  options_.limits.bodies.total = 1'000;
  start();
  std::vector<std::unique_ptr<WireClient>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(std::make_unique<WireClient>(server_->port()));
    waiting.back()->send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" + std::string(39, 'x'));
  }
  for (const auto& client : waiting) {
    client->send("x");
    EXPECT_EQ(client->response().status, 200);
  }
}

TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start();
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.response().status, 100);
  client.send("hello");
  EXPECT_EQ(client.response().body, "hello");
  // Refused without the body: no 100.
  auto large = connect();
  large.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");
  EXPECT_EQ(large.response().status, 413);
  auto nowhere = connect();
  nowhere.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(nowhere.response().status, 404);
  EXPECT_EQ(nowhere.rest(), "");
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\n").status, 417);
}

TEST_F(ServerTest, SlowHeadsAndBodiesAreCutOffWhileOthersAreServed) {
  options_.limits.head_time = Millis{150};
  options_.limits.body_time = Millis{150};
  start();
  auto head = connect();
  head.send("GET /hello HTTP/1.1\r\nHo");
  auto body = connect();
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(ask(kGet).status, 200);
  for (auto* client : {&head, &body}) {
    const auto response = client->response();
    EXPECT_EQ(response.status, 408);
    EXPECT_EQ(response.header("Connection"), "close");
    EXPECT_EQ(client->rest(), "");
  }
  auto silent = connect();
  EXPECT_EQ(silent.rest(), "");
}

TEST_F(ServerTest, AHeadThatDripsIsCutOffToo) {
  options_.limits.head_time = Millis{150};
  start();
  auto client = connect();
  const auto began = steady_now();
  while (client.send("a")) {
    pollfd wait{client.descriptor(), POLLIN, 0};
    if (::poll(&wait, 1, 20) == 1 || steady_now() - began > std::chrono::seconds(10)) break;
  }
  EXPECT_EQ(client.response().status, 408);
}

TEST_F(ServerTest, IdleConnectionsEnd) {
  options_.limits.idle_time = Millis{100};
  start();
  auto client = connect();
  client.send(kGet);
  EXPECT_EQ(client.response().status, 200);
  EXPECT_EQ(client.rest(), "");
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(ServerTest, AHandlersExceptionTellsNothingOfTheInside) {
  router_.add(Method::get, "/throw", [](Shard&, Request&) -> Task<Response> {
    throw std::runtime_error("table users is locked");
    co_return Response{};
  });
  router_.add(Method::get, "/busy", [](Shard&, Request&) -> Task<Response> {
    throw Overloaded("the pool is overloaded");
    co_return Response{};
  });
  router_.add(Method::get, "/full", [](Shard&, Request&) -> Task<Response> {
    throw OutOfStorage("database or disk is full");
    co_return Response{};
  });
  router_.add(Method::get, "/poor", [](Shard&, Request&) -> Task<Response> {
    throw std::bad_alloc();
    co_return Response{};
  });
  start();
  const auto broken = ask("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.body, R"({"detail":"Internal Server Error"})");
  const auto busy = ask("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.header("Retry-After"), "1");
  const auto full = ask("GET /full HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(full.status, 507);
  EXPECT_EQ(full.body, R"({"detail":"Insufficient Storage"})");
  EXPECT_EQ(ask("GET /poor HTTP/1.1\r\nHost: x\r\n\r\n").status, 503);
  ASSERT_TRUE(recorded_.wait(4));
  ASSERT_EQ(seen().size(), 4u);
  EXPECT_EQ(seen()[0].fault, "table users is locked");
  EXPECT_EQ(seen()[0].id, broken.header("X-Request-ID"));
  EXPECT_EQ(seen()[0].pattern, "/throw");
}

TEST_F(ServerTest, AHandlerLearnsThatThePeerHasLeft) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  for (const bool reset : {true, false}) {
    auto client = connect();
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(gate.waiting.wait(reset ? 1 : 2));
    reset ? client.reset() : client.close();
    ASSERT_TRUE(gate.aborted.wait(reset ? 1 : 2));
    gate.open();
  }
  EXPECT_TRUE(wait_until_empty());
  ASSERT_TRUE(recorded_.wait(2));
  EXPECT_EQ(seen()[0].status, 0);
}

TEST_F(ServerTest, APeerThatClosedItsHalfStillGetsItsResponse) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  auto client = connect();
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  client.finish_writing();
  ASSERT_TRUE(gate.aborted.wait());
  gate.open();
  EXPECT_EQ(client.response().body, "let go");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(ServerTest, WhatAPeerSendsAheadIsBounded) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  auto client = connect();
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(gate.waiting.wait());
  const timeval little{0, 200'000};
  ::setsockopt(client.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &little, sizeof(little));
  std::size_t taken = 0;
  const std::string block(65536, 'x');
  while (taken < 64 << 20) {
    const ssize_t put = ::send(client.descriptor(), block.data(), block.size(), MSG_NOSIGNAL);
    if (put <= 0) break;
    taken += static_cast<std::size_t>(put);
  }
  EXPECT_LT(taken, std::size_t{32 << 20}) << "the kernel's buffers fill up, ours do not grow";
  gate.open();
  EXPECT_EQ(client.response().body, "let go");
  EXPECT_EQ(client.response().status, 431);
}

TEST_F(ServerTest, AStreamedBodyArrivesPieceByPiece) {
  std::atomic<std::size_t> largest = 0;
  router_.add(Method::post, "/upload",
              [&](Shard&, Request&, BodySource& body) -> Task<Response> {
                std::size_t total = 0;
                for (;;) {
                  auto piece = co_await body.read();
                  if (!piece) co_return Response::text(400, piece.error().message);
                  if (piece->empty()) break;
                  total += piece->size();
                  largest = std::max<std::size_t>(largest, piece->size());
                }
                co_return Response::text(200, std::to_string(total));
              },
              {.max_body = 5'000'000});
  start();
  auto client = connect();
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  client.send(std::string(3'000'000, 'x'));
  client.send(kGet);
  EXPECT_EQ(client.response().body, "3000000");
  EXPECT_EQ(client.response().body, "hello world");
  EXPECT_LE(largest, std::size_t{Shard::kScratchBytes} * 2);

  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.response().status, 100);
  client.send_bytewise("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.response().body, "5");

  // Too large by its length: before a byte is taken. By its chunks: at the limit.
  EXPECT_EQ(ask("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000001\r\n\r\n").status, 413);
  auto chunked = connect();
  chunked.send("POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4c4b41\r\n");
  EXPECT_EQ(chunked.response().status, 400) << "the handler's own answer";
}

// A request may be whole with its head: then the handler reads nothing but the end.
TEST_F(ServerTest, AStreamedBodyMayBeEmpty) {
  router_.add(Method::post, "/upload", [](Shard&, Request&, BodySource& body) -> Task<Response> {
    std::size_t reads = 0;
    for (;; ++reads) {
      const auto piece = co_await body.read();
      if (!piece) co_return Response::text(400, "torn");
      if (piece->empty()) break;
    }
    const auto again = co_await body.read();
    co_return Response::text(200, std::to_string(reads) + (again && again->empty() ? "" : " and then?"));
  });
  start();
  const std::string head = "POST /upload HTTP/1.1\r\nHost: x\r\n";
  for (const std::string_view rest :
       {"\r\n", "Content-Length: 0\r\n\r\n", "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"}) {
    auto client = connect();
    client.send(head + std::string(rest));
    EXPECT_EQ(client.response().body, "0") << rest;
    client.send(head + "Content-Length: 2\r\n\r\nhi");
    EXPECT_EQ(client.response().body, "1") << "whole with its head, but not empty";
    auto slow = connect();
    slow.send_bytewise(head + std::string(rest));
    EXPECT_EQ(slow.response().body, "0") << rest;
  }
}

TEST_F(ServerTest, EmptyLinesSentAheadEndTheConnection) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  auto client = connect();
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(gate.waiting.wait());
  std::string lines;
  for (int i = 0; i < 40'000; ++i) lines += "\r\n";
  client.send(lines);
  gate.open();
  EXPECT_EQ(client.response().body, "let go");
  EXPECT_EQ(client.response().status, 431);
  EXPECT_EQ(ask(kGet).status, 200);
}

TEST_F(ServerTest, AnUploadIsHeldBackByItsReader) {
  Gate gate;
  router_.add(Method::post, "/upload",
              [&](Shard& shard, Request& request, BodySource& body) -> Task<Response> {
                const auto wait = gate.handler();
                co_await wait(shard, request);
                std::size_t total = 0;
                for (;;) {
                  const auto piece = co_await body.read();
                  if (!piece || piece->empty()) break;
                  total += piece->size();
                }
                co_return Response::text(200, std::to_string(total));
              },
              {.max_body = 1 << 30});
  start();
  auto client = connect();
  constexpr std::size_t kTotal = 64 << 20;
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n");
  ASSERT_TRUE(gate.waiting.wait());
  const timeval little{0, 200'000};
  ::setsockopt(client.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &little, sizeof(little));
  std::size_t taken = 0;
  const std::string block(65536, 'x');
  while (taken < kTotal) {
    const ssize_t put = ::send(client.descriptor(), block.data(), std::min(block.size(), kTotal - taken), MSG_NOSIGNAL);
    if (put <= 0) break;
    taken += static_cast<std::size_t>(put);
  }
  EXPECT_LT(taken, kTotal / 2);
  gate.open();
  while (taken < kTotal) {
    const ssize_t put = ::send(client.descriptor(), block.data(), std::min(block.size(), kTotal - taken), MSG_NOSIGNAL);
    if (put > 0) taken += static_cast<std::size_t>(put);
  }
  EXPECT_EQ(client.response().body, std::to_string(kTotal));
}

TEST_F(ServerTest, SlowAndTornUploadsEndWithAnError) {
  options_.limits.slow_window = Millis{150};
  Signal ended;
  std::mutex mutex;
  std::vector<Errc> errors;
  router_.add(Method::post, "/upload",
              [&](Shard&, Request&, BodySource& body) -> Task<Response> {
                for (;;) {
                  const auto piece = co_await body.read();
                  if (!piece) {
                    const std::lock_guard lock(mutex);
                    errors.push_back(piece.error().code);
                    ended.set();
                    co_return Response::text(400, "torn");
                  }
                  if (piece->empty()) co_return Response::text(200, "done");
                }
              },
              {.max_body = 1 << 20});
  start();
  auto slow = connect();
  slow.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
  EXPECT_EQ(slow.response().status, 408);
  EXPECT_EQ(slow.rest(), "");
  auto torn = connect();
  torn.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
  torn.close();
  EXPECT_TRUE(ended.wait(2));
  auto reset = connect();
  reset.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
  reset.reset();
  EXPECT_TRUE(ended.wait(3));
  EXPECT_TRUE(wait_until_empty());
  EXPECT_THAT(errors, testing::Each(Errc::bad_request));
}

TEST_F(ServerTest, AnUploadRefusedEarlyIsAnsweredAndClosed) {
  router_.add(Method::post, "/upload",
              [](Shard&, Request&, BodySource&) -> Task<Response> { co_return Response::json(401, R"({"detail":"no"})"); },
              {.max_body = 1 << 30});
  start();
  auto client = connect();
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
  std::thread writer([&] { client.send(std::string(10'000'000, 'x')); });
  const auto response = client.response();
  writer.join();
  EXPECT_EQ(response.status, 401) << "not lost in a reset";
  EXPECT_EQ(response.header("Connection"), "close");
}

// A file of `size` bytes that count up, without a name.
std::shared_ptr<const int> make_file(std::size_t size) {
  char name[] = "/tmp/payam-test-XXXXXX";
  const int fd = ::mkstemp(name);
  ::unlink(name);
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(::write(fd, content.data(), size), static_cast<ssize_t>(size));
  return {new int(fd), [](const int* each) {
            ::close(*each);
            delete each;
          }};
}

TEST_F(ServerTest, FilesAreSentInPartsToWhoeverReads) {
  const auto file = make_file(3'000'000);
  router_.add(Method::get, "/file", [file](Shard&, Request& request) -> Task<Response> {
    Response response;
    const bool part = request.headers.has("Range");
    response.body = part ? FileBody{file, 26, 5} : FileBody{file, 0, 3'000'000};
    co_return response;
  });
  router_.add(Method::get, "/short", [file](Shard&, Request&) -> Task<Response> {
    Response response;
    response.body = FileBody{file, 2'999'990, 100};  // more than there is
    co_return response;
  });
  start();
  auto client = connect();
  client.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto whole = client.response();
  ASSERT_EQ(whole.body.size(), 3'000'000u);
  for (const std::size_t at : {std::size_t{0}, std::size_t{65'536}, std::size_t{1'048'577}, std::size_t{2'999'999}}) {
    EXPECT_EQ(whole.body[at], static_cast<char>('a' + at % 26)) << at;
  }
  client.send("GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=26-30\r\n\r\n");
  EXPECT_EQ(client.response().body, "abcde");
  client.send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.response(true).header("Content-Length"), "3000000");
  client.send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.response().body.size(), 10u) << "then the connection ends: the client sees that it is not all";
}

// The letters a to z over and over, in pieces; counts how many were given.
class Letters final : public ByteSource {
 public:
  explicit Letters(std::uint64_t piece, std::uint64_t fail_at = UINT64_MAX) : piece_(piece), fail_at_(fail_at) {}
  Task<std::string> read(std::uint64_t offset, std::uint64_t limit) override {
    if (offset >= fail_at_) throw std::runtime_error("the source is gone");
    std::string piece;
    for (std::uint64_t i = 0; i < std::min(limit, piece_); ++i) {
      piece += static_cast<char>('a' + (offset + i) % 26);
    }
    given += piece.size();
    co_return piece;
  }

  std::atomic<std::uint64_t> given = 0;

 private:
  const std::uint64_t piece_, fail_at_;
};

TEST_F(ServerTest, BodiesAreFetchedPieceByPieceWhileTheyGoOut) {
  router_.add(Method::get, "/letters", [](Shard&, Request& request) -> Task<Response> {
    const auto letters = std::make_shared<Letters>(7);
    co_return serve_file(request, SourceBody{letters, 0, 100}, "\"v1\"");
  });
  router_.add(Method::get, "/torn", [](Shard&, Request&) -> Task<Response> {
    Response response;
    response.body = SourceBody{std::make_shared<Letters>(7, 21), 0, 100};
    co_return response;
  });
  start();
  auto client = connect();
  client.send("GET /letters HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto whole = client.response();
  EXPECT_EQ(whole.header("Content-Length"), "100");
  EXPECT_EQ(whole.body.substr(0, 30), "abcdefghijklmnopqrstuvwxyzabcd");
  EXPECT_EQ(whole.body.size(), 100u);
  client.send("GET /letters HTTP/1.1\r\nHost: x\r\nRange: bytes=24-34\r\n\r\n");
  EXPECT_EQ(client.response().body, "yzabcdefghi");
  client.send("HEAD /letters HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.response(true).header("Content-Length"), "100");
  client.send("GET /torn HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.response().body.size(), 21u) << "then the connection ends: the client sees that it is not all";
}

TEST_F(ServerTest, WhoDoesNotReadMakesNobodyFetch) {
  options_.limits.slow_window = Millis{150};
  const auto letters = std::make_shared<Letters>(64 * 1024);
  Signal aborted;
  router_.add(Method::get, "/letters", [&](Shard&, Request& request) -> Task<Response> {
    request.on_abort = [&] { aborted.set(); };
    Response response;
    response.body = SourceBody{letters, 0, std::uint64_t{1} << 40};
    co_return response;
  });
  start();
  WireClient client(server_->port(), 4096);
  client.send("GET /letters HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(aborted.wait()) << "cut off, as any reader that stops";
  EXPECT_LT(letters->given, 32u << 20) << "what the kernel's buffers hold";
}

TEST_F(ServerTest, AReaderThatStopsIsCutOff) {
  options_.limits.slow_window = Millis{150};
  Signal aborted;
  router_.add(Method::get, "/large", [&](Shard&, Request& request) -> Task<Response> {
    request.on_abort = [&] { aborted.set(); };
    co_return Response::text(200, std::string(64 << 20, 'x'));
  });
  start();
  WireClient client(server_->port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(aborted.wait());
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(ServerTest, RepliesThatNobodyTakesCostOneAddressItsOwnBound) {
  options_.limits.replies = {.address = 40 << 20, .total = 200 << 20};
  router_.add(Method::get, "/large",
              [](Shard&, Request&) -> Task<Response> { co_return Response::text(200, std::string(16 << 20, 'x')); });
  start();
  constexpr std::string_view kLarge = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<std::unique_ptr<WireClient>> greedy;
  for (int i = 0; i < 10; ++i) {
    greedy.push_back(std::make_unique<WireClient>(server_->port(), 4096, kGreedy));
    greedy.back()->send(kLarge);
  }
  ASSERT_TRUE(recorded_.wait(8)) << "two fit, the others are cut off";
  EXPECT_LE(server_->reply_budget().held(), std::uint64_t{40} << 20);
  EXPECT_GE(server_->reply_budget().held(), std::uint64_t{32} << 20);
  EXPECT_EQ(server_->reply_budget().refused(Budget::Over::address), 8u);
  EXPECT_EQ(ask(kLarge, kBystander).body.size(), std::size_t{16} << 20);
  EXPECT_EQ(ask(kGet, kGreedy).status, 200) << "what is taken at once waits for nobody";
  greedy.clear();
  EXPECT_TRUE(wait_until_empty());
  EXPECT_EQ(server_->reply_budget().held(), 0u);
}

// Each reply is taken well within the window, a full buffer of the kernel's too; all of them together take long.
TEST_F(ServerTest, ASlowReaderOfManyRepliesIsCutOffToo) {
  options_.limits.slow_window = Millis{1'000};
  options_.limits.slow_bytes = 1 << 30;  // more than anybody takes in that time
  router_.add(Method::get, "/some",
              [](Shard&, Request&) -> Task<Response> { co_return Response::text(200, std::string(64 << 10, 'x')); });
  start();
  WireClient client(server_->port(), 32 << 10);
  constexpr std::size_t kReplies = 400;
  std::string requests;
  for (std::size_t i = 0; i < kReplies; ++i) requests += "GET /some HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(requests);
  std::size_t taken = 0;
  for (std::string piece(16 << 10, '\0');;) {
    const ssize_t got = ::recv(client.descriptor(), piece.data(), piece.size(), 0);
    if (got <= 0) break;
    taken += static_cast<std::size_t>(got);
    if (taken > kReplies * (64 << 10)) break;
    std::this_thread::sleep_for(Millis{2});
  }
  EXPECT_LT(taken, kReplies * (64 << 10));
}

TEST_F(ServerTest, AnUpgradeHandsTheStreamOverWithEarlyBytes) {
  struct Echo final : StreamHandler {
    std::shared_ptr<Stream> stream;
    void on_writable() override {}
    void on_readable() override {
      char buffer[64];
      const auto result = stream->read(buffer);
      if (result.status != IoStatus::ok) {
        stream->close();
        stream.reset();
        return;
      }
      reply({buffer, result.bytes});
      stream->want_read();
    }
    void reply(std::string_view text) {
      const iovec piece{const_cast<char*>(text.data()), text.size()};
      stream->write({&piece, 1});
    }
  };
  Echo echo;
  router_.add(Method::get, "/upgrade", [&](Shard&, Request&) -> Task<Response> {
    Response response;
    response.status = 101;
    response.headers.add("Connection", "Upgrade");
    response.headers.add("Upgrade", "echo");
    response.upgrade = [&](std::shared_ptr<Stream> stream, std::string early) {
      echo.stream = std::move(stream);
      echo.stream->attach(&echo);
      echo.reply("<" + early + ">");
      echo.stream->want_read();
    };
    co_return response;
  });
  start();
  auto client = connect();
  client.send("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
  const auto response = client.response();
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.header("Connection"), "Upgrade");
  EXPECT_EQ(response.header("Content-Length"), "");
  client.send(" late");
  EXPECT_EQ(server_->connections(), 1u);
  client.finish_writing();
  EXPECT_EQ(client.rest(), "<early> late");
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(ServerTest, AUsersTextMakesNoFieldOfItsOwn) {
  router_.add(Method::get, "/name", [](Shard&, Request& request) -> Task<Response> {
    auto response = Response::text(200, "x");
    response.headers.add("X-Name", std::string(request.query.find("name").value_or("")));
    response.headers.add("Content-Length", "999");
    co_return response;
  });
  start();
  const auto response = ask("GET /name?name=a%0d%0aSet-Cookie:+b%00c HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(response.header("X-Name"), "a  Set-Cookie: b c");
  EXPECT_EQ(response.header("Set-Cookie"), "");
  EXPECT_EQ(response.body, "x");
}

TEST_F(ServerTest, TextIsCompressedForWhoAsks) {
  router_.add(Method::get, "/long",
              [](Shard&, Request&) -> Task<Response> { co_return Response::json(200, "\"" + std::string(5000, 'a') + "\""); });
  start();
  const auto packed = ask("GET /long HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_THAT(packed.body, StartsWith("\x1f\x8b"));
  EXPECT_LT(packed.body.size(), 200u);
  EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(ask("GET /long HTTP/1.1\r\nHost: x\r\n\r\n").body.size(), 5002u);
  EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n").header("Content-Encoding"), "");
}

TEST_F(ServerTest, CorsFollowsTheExactList) {
  options_.cors_origins = {"https://chat.example.org"};
  start();
  const auto preflight =
      ask("OPTIONS /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://chat.example.org\r\nAccess-Control-Request-Method: PUT\r\n"
          "Access-Control-Request-Headers: authorization, content-type\r\n\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://chat.example.org");
  EXPECT_EQ(preflight.header("Access-Control-Allow-Headers"), "authorization, content-type");
  EXPECT_THAT(preflight.header("Access-Control-Allow-Methods"), HasSubstr("PATCH"));
  EXPECT_EQ(preflight.header("Vary"), "Origin");
  EXPECT_EQ(preflight.header("Access-Control-Allow-Credentials"), "");
  const auto plain = ask("GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://chat.example.org\r\n\r\n");
  EXPECT_EQ(plain.header("Access-Control-Allow-Origin"), "https://chat.example.org");
  EXPECT_THAT(plain.header("Access-Control-Expose-Headers"), StartsWith("Link, Location, Retry-After, X-Request-ID, "));
  for (const std::string origin : {"https://chat.example.org.evil", "http://chat.example.org", "null", "*"}) {
    const auto foreign = ask("GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: " + origin + "\r\n\r\n");
    EXPECT_EQ(foreign.status, 200);
    EXPECT_EQ(foreign.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(foreign.header("Vary"), "Origin");
  }
  EXPECT_EQ(
      ask("OPTIONS /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://evil\r\nAccess-Control-Request-Method: PUT\r\n\r\n").status,
      405);
}

TEST_F(ServerTest, WithoutCorsThereIsNoWordOfIt) {
  start();
  const auto plain = ask("GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://chat.example.org\r\n\r\n");
  EXPECT_EQ(plain.header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(plain.header("Vary"), "");
}

TEST_F(ServerTest, OnlyATrustedProxysWordCounts) {
  const auto who = [](Shard&, Request& request) -> Task<Response> {
    co_return Response::text(200, request.peer + (request.secure ? " secure " : " plain ") + request.id);
  };
  router_.add(Method::get, "/who", who);
  options_.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  start();
  const auto at = [&](std::string fields) { return ask("GET /who HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n").body; };
  EXPECT_THAT(at(""), StartsWith("127.0.0.1 plain "));
  EXPECT_EQ(at("X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\nX-Forwarded-Proto: https\r\nX-Request-ID: abc.1\r\n"),
            "203.0.113.9 secure abc.1");
  EXPECT_THAT(at("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: rubbish\r\n"), StartsWith("127.0.0.1 plain "));
  EXPECT_THAT(at("X-Forwarded-For: [2001:db8::1]:443\r\n"), StartsWith("2001:db8::1 plain "));
  EXPECT_THAT(at("X-Request-ID: a b\r\n"), testing::Not(HasSubstr("a b")));
}

TEST_F(ServerTest, ForeignersWordDoesNotCount) {
  router_.add(Method::get, "/who", [](Shard&, Request& request) -> Task<Response> {
    co_return Response::text(200, request.peer + (request.secure ? " secure" : " plain"));
  });
  start();
  const auto response =
      ask("GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-ID: mine\r\n\r\n");
  EXPECT_EQ(response.body, "127.0.0.1 plain");
  EXPECT_NE(response.header("X-Request-ID"), "mine");
}

TEST_F(ServerTest, AForwarderThatIsNotTrustedIsToldOfOnce) {
  std::vector<std::string> told;
  options_.trusted_proxies = {"127.0.0.9"};
  options_.on_forwarding_ignored = [&](const std::string& peer) { told.push_back(peer); };
  start();
  const std::string forwarded = "GET /hello HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n";
  ask(kGet);
  ask(forwarded, kBystander);
  for (int i = 0; i < 3; ++i) ask(forwarded, "127.0.0.3");
  stop();
  EXPECT_THAT(told, testing::ElementsAre("127.0.0.3"));
}

TEST_F(ServerTest, JsonAndErrorsAreKeptByNobody) {
  router_.add(Method::get, "/json", [](Shard&, Request& request) -> Task<Response> {
    auto response = Response::json(200, "{}");
    if (request.query.find("cached")) response.headers.add("Cache-Control", "max-age=60");
    co_return response;
  });
  start();
  const auto fields = [&](std::string_view path) {
    const auto response = ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return response.header("Cache-Control") + '|' + response.header("X-Content-Type-Options");
  };
  EXPECT_EQ(fields("/json"), "no-store|nosniff");
  EXPECT_EQ(fields("/json?cached"), "max-age=60|nosniff") << "the handler's word counts";
  EXPECT_EQ(fields("/nowhere"), "no-store|nosniff");
  EXPECT_EQ(fields("/a#b"), "no-store|nosniff");
  EXPECT_EQ(fields("/hello"), "|") << "text that says nothing of its own";
}

TEST_F(ServerTest, TooManyConnectionsAreTurnedAway) {
  options_.limits.connections.total = 2;
  start();
  auto first = connect(), second = connect();
  for (auto* client : {&first, &second}) {
    client->send(kGet);
    EXPECT_EQ(client->response().status, 200);
  }
  auto third = connect();
  const auto refused = third.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_NE(refused.header("X-Request-ID"), "");
  first.close();
  for (int i = 0; i < 1000 && server_->connections() > 1; ++i) std::this_thread::sleep_for(Millis{5});
  EXPECT_EQ(ask(kGet).status, 200);
}

TEST_F(ServerTest, ConnectionsOfOneAddressLeaveRoomForOthers) {
  options_.limits.connections = {.address = 3, .total = 100};
  start();
  std::vector<std::unique_ptr<WireClient>> greedy;
  for (int i = 0; i < 3; ++i) {
    greedy.push_back(std::make_unique<WireClient>(server_->port(), 0, kGreedy));
    greedy.back()->send(kGet);
    EXPECT_EQ(greedy.back()->response().status, 200);
  }
  const auto refused = ask("", kGreedy);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(ask(kGet, kBystander).status, 200);
  EXPECT_EQ(server_->connection_budget().refused(Budget::Over::address), 1u);
  greedy.pop_back();
  for (int i = 0; i < 1000 && server_->connections() > 2; ++i) std::this_thread::sleep_for(Millis{5});
  EXPECT_EQ(ask(kGet, kGreedy).status, 200);
}

// Its own connections are nobody's; who comes through it has the bound.
TEST_F(ServerTest, BehindATrustedProxyTheForwardedAddressCounts) {
  options_.limits.connections = {.address = 2, .total = 100};
  options_.trusted_proxies = {"127.0.0.0/8"};
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  std::vector<std::shared_ptr<Stream>> upgraded;
  Signal handed_over;
  router_.add(Method::get, "/upgrade", [&](Shard&, Request&) -> Task<Response> {
    Response response;
    response.status = 101;
    response.upgrade = [&](std::shared_ptr<Stream> stream, const std::string&) {
      upgraded.push_back(std::move(stream));
      handed_over.set();
    };
    co_return response;
  });
  start();
  const auto from = [](std::string_view path, std::string_view peer) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + std::string(peer) + "\r\n\r\n";
  };
  std::vector<std::unique_ptr<WireClient>> pool;
  for (int i = 0; i < 10; ++i) {
    pool.push_back(std::make_unique<WireClient>(server_->port()));
    pool.back()->send(from("/hello", "203.0.113.7"));
    EXPECT_EQ(pool.back()->response().status, 200) << "kept open, but nothing of it is served";
  }
  pool[0]->send(from("/wait", "203.0.113.7"));
  ASSERT_TRUE(gate.waiting.wait());
  pool[1]->send(from("/upgrade", "203.0.113.7"));
  ASSERT_TRUE(handed_over.wait());
  pool[2]->send(from("/hello", "203.0.113.7"));
  EXPECT_EQ(pool[2]->response().status, 503);
  pool[3]->send(from("/hello", "203.0.113.8"));
  EXPECT_EQ(pool[3]->response().status, 200);
  gate.open();
  EXPECT_EQ(pool[0]->response().status, 200);
  pool[4]->send(from("/hello", "203.0.113.7"));
  EXPECT_EQ(pool[4]->response().status, 200);
  // On their own shard.
  for (auto& stream : upgraded) {
    Shard& home = stream->shard();
    home.post([stream = std::move(stream)] { stream->close(); });
  }
  pool.clear();
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(ServerTest, ConnectionsAreDealtToTheShardsEvenly) {
  std::array<std::atomic<int>, 2> served{};
  router_.add(Method::get, "/where", [&](Shard& shard, Request&) -> Task<Response> {
    ++served[static_cast<std::size_t>(shard.id())];
    co_return Response::text(200, "");
  });
  start();
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<WireClient>(server_->port()));
    clients.back()->send("GET /where HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(clients.back()->response().status, 200);
  }
  EXPECT_EQ(served[0], 5);
  EXPECT_EQ(served[1], 5);
}

TEST_F(ServerTest, StopLetsTheRunningRequestEndAndClosesTheIdle) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  auto idle = connect(), busy = connect();
  idle.send(kGet);
  EXPECT_EQ(idle.response().status, 200);
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(gate.waiting.wait());
  server_->stop();
  EXPECT_EQ(idle.rest(), "");
  gate.open();
  const auto last = busy.response();
  EXPECT_EQ(last.body, "let go");
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_EQ(busy.rest(), "");
  idle.close();
  busy.close();
  EXPECT_TRUE(server_->wait(Millis{10'000}));
}

TEST_F(ServerTest, WhatDoesNotEndIsCutOff) {
  Gate gate;
  router_.add(Method::get, "/wait", gate.handler());
  start();
  auto client = connect();
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(gate.waiting.wait());
  server_->stop();
  std::thread opener([&] {
    gate.aborted.wait();
    gate.open();
  });
  EXPECT_FALSE(server_->wait(Millis{50}));
  opener.join();
  EXPECT_EQ(client.response().status, 0);
}

// On a loop of the application's, which ends before the server does: nothing hangs, nothing leaks (LeakSanitizer looks).
TEST_F(ServerTest, ALoopThatIsGoneLeavesNothingBehind) {
  asio::io_context context;
  Shard shard(0, context);
  Signal reading;
  Router router;
  router.add(Method::post, "/upload", [&](Shard&, Request&, BodySource& body) -> Task<Response> {
    const std::string local(1000, 'x');
    reading.set();
    const auto piece = co_await body.read();
    co_return Response::text(200, local + std::string(piece.value_or("")));
  });
  ServerOptions options;
  options.port = 0;
  std::optional<Server> server(std::in_place, std::vector<Shard*>{&shard}, std::move(router), options);
  server->start();
  std::thread loop([&] { context.run(); });
  WireClient idle(server->port()), uploading(server->port());
  idle.send(kGet);
  EXPECT_EQ(idle.response().status, 404);
  uploading.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(reading.wait());
  context.stop();
  loop.join();
  const auto began = steady_now();
  server.reset();
  EXPECT_LT(steady_now() - began, std::chrono::seconds(5));
}

TEST_F(ServerTest, ServesASocketThatWasConnectedElsewhere) {
  router_.add(Method::get, "/peer",
              [](Shard&, Request& request) -> Task<Response> { co_return Response::text(200, request.peer); });
  options_.limits.connections = {.total = 1};
  Server server({&shards_[0]}, std::move(router_), options_);  // it does not listen
  const auto adopt = [&server] {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    server.adopt(Descriptor(ends[0]));
    return WireClient(Descriptor(ends[1]));
  };
  auto client = adopt();
  client.send("GET /peer HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.response().body, "0.0.0.0");
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(adopt().response().status, 503);
  client.finish_writing();
  EXPECT_EQ(client.rest(), "");
}

TEST_F(ServerTest, OptionsThatCannotBeUsedAreNamed) {
  options_.host = "example.org";
  EXPECT_THROW(Server({&shards_[0]}, Router(), options_), std::invalid_argument);
  options_.host = "127.0.0.1";
  options_.trusted_proxies = {"10.0.0.0/33"};
  EXPECT_THROW(Server({&shards_[0]}, Router(), options_), std::invalid_argument);
  options_.trusted_proxies.clear();
  options_.tls = ServerOptions::Tls{"/nonexistent.pem", "/nonexistent.key"};
  EXPECT_THROW(Server({&shards_[0]}, Router(), options_), std::runtime_error);
  options_.tls.reset();
  Server first({&shards_[0]}, Router(), options_);
  first.start();
  options_.port = first.port();
  Server second({&shards_[0]}, Router(), options_);
  EXPECT_THROW(second.start(), std::system_error);
}

}  // namespace
}  // namespace payam::http
