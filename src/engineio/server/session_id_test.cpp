#include "engineio/server/session_id.hpp"

#include <gtest/gtest.h>

namespace payam::eio {
namespace {

TEST(SessionId, NamesItsShardAfterTheRandomPart) {
  const std::string id = new_session_id(12);
  EXPECT_EQ(id.size(), 22u);
  EXPECT_EQ(id.substr(20), "12");
  EXPECT_EQ(shard_of(id, 13), 12u);
  EXPECT_EQ(shard_of(id, 12), std::nullopt);
  EXPECT_NE(id.substr(0, 20), new_session_id(12).substr(0, 20));
}

TEST(SessionId, AnythingElseIsNobodys) {
  const std::string random(20, 'x');
  EXPECT_EQ(shard_of(random + "0", 1), 0u);
  for (const std::string& bad : {std::string(), std::string("0"), random, random + "-1", random + "+0", random + " 0",
                                 random + "0x", random + "99999999999999999999999", std::string("__proto__")}) {
    EXPECT_EQ(shard_of(bad, 4), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace payam::eio
