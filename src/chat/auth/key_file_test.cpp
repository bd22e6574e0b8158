#include "chat/auth/key_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <set>
#include <thread>

namespace payam::chat {
namespace {

namespace fs = std::filesystem;

class KeyFile : public testing::Test {
 protected:
  KeyFile() {
    std::string pattern = (fs::temp_directory_path() / "payam-key-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~KeyFile() override { fs::remove_all(directory_); }

  static unsigned mode(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); }

  fs::path directory_;
};

TEST_F(KeyFile, IsMadeOnceAndKept) {
  const fs::path path = directory_ / "data" / "keys" / "jwt.pem";
  const auto first = read_or_make_key_file(path);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(mode(path), 0600u);
  EXPECT_EQ(mode(path.parent_path()), 0700u);
  const auto second = read_or_make_key_file(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->id(), first->id());
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1) << "no draft stays behind";
}

TEST_F(KeyFile, IsTheSameForAllWhoStartAtOnce) {
  const fs::path path = directory_ / "keys" / "jwt.pem";
  std::vector<std::string> ids(8);
  {
    std::vector<std::jthread> threads;
    for (auto& id : ids) threads.emplace_back([&] { id = read_or_make_key_file(path).value().id(); });
  }
  for (const auto& id : ids) EXPECT_EQ(id, ids[0]);
}

TEST_F(KeyFile, IsRefusedIfOthersMayReadIt) {
  const fs::path path = directory_ / "jwt.pem";
  ASSERT_TRUE(read_or_make_key_file(path));
  for (const unsigned bits : {0640u, 0604u, 0620u}) {
    ASSERT_EQ(::chmod(path.c_str(), bits), 0);
    const auto key = read_or_make_key_file(path);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().message,
              path.string() + ": others than its owner may read this key (do: chmod 600 " + path.string() + ")");
  }
}

TEST_F(KeyFile, IsRefusedIfItIsNoKey) {
  const fs::path path = directory_ / "jwt.pem";
  std::ofstream(path) << "hello";
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(read_key_file(path).error().message,
            path.string() + ": no private key in PEM form (encrypted ones are not supported)");
  EXPECT_FALSE(read_key_file(directory_));
  EXPECT_EQ(read_key_file(directory_ / "absent").error().message,
            (directory_ / "absent").string() + ": No such file or directory");
}

constexpr auto kLifetime = std::chrono::minutes(30);

TEST_F(KeyFile, ARotationKeepsTheOldKeyUntilItsTokensAreOver) {
  const fs::path path = directory_ / "keys" / "jwt.pem";
  const auto first = read_or_make_key_file(path);
  // As old as a key may be: it counts from the rotation.
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), std::array<timespec, 2>{}.data(), 0), 0);
  const auto second = rotate_key_file(path);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(second->id(), first->id());
  EXPECT_EQ(read_key_file(path)->id(), second->id());
  EXPECT_EQ(mode(path), 0600u);
  const auto third = rotate_key_file(path);

  const auto retired = [&](Timestamp now) {
    std::set<std::string> ids;
    for (const auto& key : read_retired_keys(path.parent_path(), path, kLifetime, now).value()) {
      ids.insert(key.key.id());
      EXPECT_GE(key.until, wall_now() + kLifetime);
    }
    return ids;
  };
  EXPECT_EQ(retired(wall_now()), (std::set{first->id(), second->id()}));
  EXPECT_EQ(retired(wall_now() + kLifetime), (std::set{first->id(), second->id()}))
      << "the server may have been slow to see it";
  EXPECT_EQ(retired(wall_now() + kLifetime + kReloadTime), std::set<std::string>());
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 3) << "no draft stays behind";
}

TEST_F(KeyFile, AKeyThatIsDroppedBesideVerifies) {
  const fs::path path = directory_ / "keys" / "jwt.pem", elsewhere = directory_ / "own.pem";
  const auto dropped = read_or_make_key_file(path);
  ASSERT_TRUE(read_or_make_key_file(elsewhere));
  const auto retired = read_retired_keys(path.parent_path(), elsewhere, kLifetime, wall_now());
  ASSERT_TRUE(retired);
  ASSERT_EQ(retired->size(), 1u);
  EXPECT_EQ(retired->front().key.id(), dropped->id());
  EXPECT_TRUE(read_retired_keys(directory_ / "absent", elsewhere, kLifetime, wall_now())->empty());
  std::ofstream(path.parent_path() / "notes.pem") << "hello";
  EXPECT_FALSE(read_retired_keys(path.parent_path(), elsewhere, kLifetime, wall_now())) << "better told than ignored";
}

}  // namespace
}  // namespace payam::chat
