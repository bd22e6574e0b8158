#include "engineio/websocket/deflate.hpp"

#include <gtest/gtest.h>

#include <random>

namespace payam::eio::websocket {
namespace {

using namespace std::string_literals;

constexpr const char* kAccepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(Deflate, AcceptsTheOffersItCanKeep) {
  for (const char* offer : {
           "permessage-deflate",
           "permessage-deflate; client_max_window_bits",
           "permessage-deflate;client_max_window_bits=10 ; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
           "x-webkit-deflate-frame, permessage-deflate",
           "permessage-deflate; server_max_window_bits=10, permessage-deflate",
           "permessage-deflate; unknown, permessage-deflate; client_max_window_bits=\"15\"",
       }) {
    EXPECT_EQ(accept_deflate(offer), kAccepted) << offer;
  }
  EXPECT_EQ(accept_deflate("permessage-deflate; server_max_window_bits=15"), kAccepted + "; server_max_window_bits=15"s);
}

TEST(Deflate, DeclinesTheOthers) {
  for (const char* offer : {
           "",
           ",",
           "permessage-bzip2",
           "permessage-deflate; unknown",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=9",
           "permessage-deflate; server_max_window_bits=015",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=x",
           "permessage-deflate; client_max_window_bits; client_max_window_bits",
           "permessage-deflate; server_no_context_takeover=1",
           "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
       }) {
    EXPECT_EQ(accept_deflate(offer), std::nullopt) << offer;
  }
}

TEST(Inflater, ReadsTheExamplesOfTheRfc) {  // section 7.2.3
  Inflater inflater;
  EXPECT_EQ(inflater.inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 5), "Hello");
  EXPECT_EQ(inflater.inflate("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s, 5), "Hello") << "a block that is not compressed";
  EXPECT_EQ(inflater.inflate("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, 5), "Hello") << "a final block";
  EXPECT_EQ(inflater.inflate("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s, 5), "Hello") << "two blocks";
  EXPECT_EQ(inflater.inflate("\x00"s, 5), "");
}

TEST(Inflater, RefusesWhatIsTooLargeOrNoDeflateAtAll) {
  Inflater inflater;
  EXPECT_EQ(inflater.inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 4), std::unexpected(CloseCode::message_too_big));
  EXPECT_EQ(inflater.inflate("\xff\xff\xff"s, 100), std::unexpected(CloseCode::invalid_payload));
  EXPECT_EQ(inflater.inflate("Hello"s, 100), std::unexpected(CloseCode::invalid_payload));
  EXPECT_EQ(inflater.inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 100), "Hello") << "it recovers";
}

TEST(Inflater, ABombIsNoticedAtTheLimit) {
  Deflater deflater;
  Inflater inflater;
  const std::string bomb = deflater.deflate(std::string(50'000'000, '\0'));
  ASSERT_LT(bomb.size(), 60'000u);
  EXPECT_EQ(inflater.inflate(bomb, 1'000'000), std::unexpected(CloseCode::message_too_big));
}

TEST(Deflate, EveryMessageComesBack) {
  Deflater deflater;
  Inflater inflater;
  std::mt19937 random{1};
  for (const std::size_t size : {0u, 1u, 5u, 1'000u, 65'535u, 1'000'000u}) {
    const std::string same(size, 'x');
    std::string noise(size, '\0');
    for (auto& byte : noise) byte = static_cast<char>(random());
    for (const auto& message : {same, noise}) {
      const std::string packed = deflater.deflate(message);
      EXPECT_FALSE(packed.ends_with("\x00\x00\xff\xff"s));
      EXPECT_EQ(inflater.inflate(packed, size), message);
    }
  }
}

}  // namespace
}  // namespace payam::eio::websocket
