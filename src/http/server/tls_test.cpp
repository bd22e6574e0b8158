#include "runtime/tls.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "http/server/server.hpp"
#include "http/server/wire_client.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/stream.hpp"

namespace payam::http {
namespace {

template <auto Function>
struct Free {
  template <class T>
  void operator()(T* thing) const {
    Function(thing);
  }
};
template <class T, auto Function>
using Owned = std::unique_ptr<T, Free<Function>>;

// A self-signed certificate and its key, in a directory of their own.
class Certificate {
 public:
  Certificate() {
    char name[] = "/tmp/payam-tls-XXXXXX";
    directory_ = ::mkdtemp(name);
    const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Owned<X509, X509_free> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    auto* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const Owned<FILE, fclose> certificate_file(::fopen(this->certificate().c_str(), "w"));
    PEM_write_X509(certificate_file.get(), certificate.get());
    const Owned<FILE, fclose> key_file(::fopen(this->key().c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string certificate() const { return directory_ + "/certificate.pem"; }
  std::string key() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
};

// A blocking TLS client over a WireClient's socket.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int max_version = TLS1_3_VERSION, std::string_view alpn = "\x08http/1.1",
                     int receive_buffer = 0, const char* ciphers = nullptr)
      : socket_(port, receive_buffer), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_.get())) {
    SSL_set_min_proto_version(ssl_.get(), TLS1_VERSION);
    SSL_set_max_proto_version(ssl_.get(), max_version);
    SSL_set_security_level(ssl_.get(), 0);
    if (ciphers != nullptr) SSL_set_cipher_list(ssl_.get(), ciphers);
    if (!alpn.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size()));
    }
    const timeval patience{WireClient::kPatience / 1000, 0};
    ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    SSL_set_fd(ssl_.get(), socket_.descriptor());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  int version() const { return SSL_version(ssl_.get()); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  WireClient& socket() { return socket_; }

  bool send(std::string_view bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  // Up to `most` bytes; empty at the end.
  std::string receive(std::size_t most = 65536) {
    std::string piece(most, '\0');
    const int got = SSL_read(ssl_.get(), piece.data(), static_cast<int>(most));
    last_error_ = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), got);
    piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return piece;
  }
  std::string receive_exactly(std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const auto piece = receive(size - all.size());
      if (piece.empty()) break;
      all += piece;
    }
    return all;
  }
  std::string rest() {
    std::string all;
    for (std::string piece = receive(); !piece.empty(); piece = receive()) all += piece;
    return all;
  }
  bool ended_cleanly() const { return last_error_ == SSL_ERROR_ZERO_RETURN; }  // with close_notify
  void finish() { SSL_shutdown(ssl_.get()); }

 private:
  WireClient socket_;
  Owned<SSL_CTX, SSL_CTX_free> context_;
  Owned<SSL, SSL_free> ssl_;
  bool connected_ = false;
  int last_error_ = SSL_ERROR_NONE;
};

class TlsTest : public testing::Test {
 protected:
  void start(ServerLimits limits = {}, bool https_only = false) {
    router_.add(Method::get, "/secure", [](Shard&, Request& request) -> Task<Response> {
      co_return Response::text(200, request.secure ? "secure" : "plain");
    });
    router_.add(Method::post, "/echo",
                [](Shard&, Request& request) -> Task<Response> { co_return Response::text(200, request.body); },
                {.max_body = 4 << 20});
    ServerOptions options;
    options.port = 0;
    options.limits = limits;
    options.https_only = https_only;
    options.tls = ServerOptions::Tls{certificate_.certificate(), certificate_.key()};
    server_ = std::make_unique<Server>(std::vector<Shard*>{&shards_[0], &shards_[1]}, std::move(router_), options);
    server_->start();
  }
  bool wait_until_empty() {
    for (int i = 0; i < 1000 && server_->connections() > 0; ++i) std::this_thread::sleep_for(Millis{10});
    return server_->connections() == 0;
  }

  Certificate certificate_;
  ShardSet shards_{2};
  Router router_;
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kGet = "GET /secure HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(TlsTest, ServesOverBothVersionsAndSaysGoodbye) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server_->port(), version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.version(), version);
    EXPECT_EQ(client.protocol(), "http/1.1");
    ASSERT_TRUE(client.send(kGet));
    EXPECT_THAT(client.rest(), testing::EndsWith("\r\n\r\nsecure"));
    EXPECT_TRUE(client.ended_cleanly());
  }
}

TEST_F(TlsTest, RefusesOldVersionsAndOtherProtocols) {
  start();
  EXPECT_FALSE(TlsClient(server_->port(), TLS1_1_VERSION).connected());
  EXPECT_FALSE(TlsClient(server_->port(), TLS1_3_VERSION, "\x02h2").connected());
  EXPECT_TRUE(TlsClient(server_->port(), TLS1_3_VERSION, "").connected());
  WireClient plain(server_->port());
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = plain.rest();
  ASSERT_TRUE(answer) << "the connection ends";
  EXPECT_THAT(*answer, testing::Not(testing::HasSubstr("HTTP/1.1")));
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(TlsTest, TakesAuthenticatedEncryptionAlone) {
  start();
  const auto offers = [&](const char* ciphers) {
    return TlsClient(server_->port(), TLS1_2_VERSION, "", 0, ciphers).connected();
  };
  for (const char* good : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_TRUE(offers(good)) << good;
  }
  for (const char* bad : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
                          "ECDHE-ECDSA-CAMELLIA128-SHA256", "ECDHE-ECDSA-NULL-SHA"}) {
    EXPECT_FALSE(offers(bad)) << bad;
  }
}

TEST_F(TlsTest, HttpsIsAskedForOnlyWhereItIsWantedAndUsed) {
  start();
  TlsClient client(server_->port());
  client.send(kGet);
  EXPECT_THAT(client.rest(), testing::Not(testing::HasSubstr("Strict-Transport-Security")));
  server_.reset();
  router_ = Router();
  start({}, true);
  TlsClient other(server_->port());
  other.send(kGet);
  EXPECT_THAT(other.rest(), testing::HasSubstr("\r\nStrict-Transport-Security: max-age=31536000\r\n"));
}

TEST_F(TlsTest, AHandshakeHasATimeLimit) {
  start({.head_time = Millis{150}, .linger_time = Millis{50}});
  WireClient silent(server_->port());
  EXPECT_EQ(silent.rest(), "");
  WireClient half(server_->port());
  half.send(std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7));
  EXPECT_TRUE(half.rest());
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(TlsTest, LargeBodiesGoBothWays) {
  start();
  TlsClient client(server_->port());
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 256);
  std::thread writer([&] {
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    client.send(body);
  });
  writer.join();  // the server takes it all before it answers
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    const auto piece = client.receive();
    ASSERT_FALSE(piece.empty());
    answer += piece;
  }
  answer.erase(0, answer.find("\r\n\r\n") + 4);
  answer += client.receive_exactly(body.size() - answer.size());
  EXPECT_TRUE(answer == body);
}

TEST_F(TlsTest, AReaderThatStopsIsCutOff) {
  router_.add(Method::get, "/large",
              [](Shard&, Request&) -> Task<Response> { co_return Response::text(200, std::string(32 << 20, 'x')); });
  start({.slow_window = Millis{150}});
  TlsClient client(server_->port(), TLS1_3_VERSION, "", 4096);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(wait_until_empty());
}

// Takes the stream of an upgrade to the other shard and sends back what it reads, one byte at a time.
struct FarEcho final : StreamHandler {
  std::shared_ptr<Stream> stream;
  void on_writable() override {}
  void on_readable() override {
    char byte;
    const auto result = stream->read({&byte, 1});
    if (result.status == IoStatus::end || result.status == IoStatus::error) {
      stream->close();
      stream.reset();
      return;
    }
    if (result.status == IoStatus::ok) reply({&byte, 1});
    stream->want_read();
  }
  void reply(std::string_view text) {
    const iovec piece{const_cast<char*>(text.data()), text.size()};
    stream->write({&piece, 1});
  }
};

TEST_F(TlsTest, AnUpgradedStreamMovesToAnotherShard) {
  FarEcho echo;
  router_.add(Method::get, "/upgrade", [&](Shard& shard, Request&) -> Task<Response> {
    Response response;
    response.status = 101;
    Shard& other = shards_[1 - shard.id()];
    response.upgrade = [&](std::shared_ptr<Stream> stream, std::string early) {
      auto moved = stream->move_to(other);
      ASSERT_NE(moved, nullptr);
      EXPECT_FALSE(stream->is_open());
      other.post([&echo, moved, early] {
        echo.stream = moved;
        moved->attach(&echo);
        echo.reply("<" + early + ">");
        moved->want_read();
      });
    };
    co_return response;
  });
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send("GET /upgrade HTTP/1.1\r\nHost: x\r\n\r\nearly"));
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const auto byte = client.receive(1);
    ASSERT_FALSE(byte.empty());
    head += byte;
  }
  EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(client.receive_exactly(7), "<early>");
  // One record read byte by byte: what OpenSSL holds decrypted is not forgotten.
  client.send("and much more");
  EXPECT_EQ(client.receive_exactly(13), "and much more");
  EXPECT_EQ(server_->connections(), 1u);
  client.finish();
  EXPECT_TRUE(wait_until_empty());
}

TEST_F(TlsTest, AKeyThatDoesNotBelongIsNamed) {
  const Certificate other;
  EXPECT_THROW(TlsContext(certificate_.certificate(), other.key()), std::runtime_error);
  EXPECT_THROW(TlsContext(certificate_.key(), certificate_.key()), std::runtime_error);
}

}  // namespace
}  // namespace payam::http
