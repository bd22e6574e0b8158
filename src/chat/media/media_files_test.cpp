// What only files have; media_store_test.cpp has the rest.
#include "chat/media/media_files.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class MediaFilesTest : public testing::Test {
 protected:
  MediaFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "payam-media-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    files_.emplace(directory_ / "media", pool_);
  }
  ~MediaFilesTest() override {
    files_.reset();
    fs::remove_all(directory_);
  }

  // Runs the test's coroutine on a shard, to its end.
  void run(Task<> task) {
    group_.spawn(shards_[0].executor(), "test", std::move(task));
    ASSERT_TRUE(group_.wait(10s));
  }

  std::size_t files_on_disk() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  fs::path directory_;
  TaskGroup group_{[](const std::string&, const std::exception& error) { ADD_FAILURE() << error.what(); }};
  ShardSet shards_{1};
  WorkerPool pool_{"media", 1, 10};
  std::optional<MediaFiles> files_;
};

TEST_F(MediaFilesTest, AFileIsItsOwnersAloneAndLiesByItsId) {
  auto test = [](MediaFiles& files) -> Task<> {
    auto incoming = files.receive(UploadId("01J0000000000000000000000A"), 100);
    EXPECT_TRUE(co_await incoming->write("text"));
    EXPECT_TRUE(co_await incoming->keep());
  };
  run(test(*files_));
  EXPECT_EQ(files_on_disk(), 1u);
  struct stat status{};
  EXPECT_EQ(::stat((directory_ / "media" / "0A" / "01J0000000000000000000000A").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(MediaFilesTest, ItsDirectoriesAreItsOwnersAloneWhateverTheUmask) {
  files_.reset();
  const auto place = directory_ / "other";
  fs::create_directories(place);
  fs::permissions(place, fs::perms::all);  // as one that was there before
  const mode_t before = ::umask(0);
  files_.emplace(place, pool_);
  auto test = [](MediaFiles& files) -> Task<> {
    auto incoming = files.receive(UploadId("01J0000000000000000000000A"), 100);
    EXPECT_TRUE(co_await incoming->write("text"));
    EXPECT_TRUE(co_await incoming->keep());
  };
  run(test(*files_));
  ::umask(before);
  for (const char* name : {"", "incoming", "0A"}) {
    EXPECT_EQ(fs::status(place / name).permissions(), fs::perms::owner_all) << name;
  }
}

TEST_F(MediaFilesTest, LeavesNothingAfterACrash) {
  std::ofstream(directory_ / "media" / "incoming" / "01J0000000000000000000000A") << "half";
  files_.emplace(directory_ / "media", pool_);
  EXPECT_EQ(files_on_disk(), 0u);
}

}  // namespace
}  // namespace payam::chat
