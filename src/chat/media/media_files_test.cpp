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

// From the PNG specification: signature and the IHDR of a picture of 1 by 1.
const std::string kPng("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89", 33);

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

  static std::string content(int descriptor) {
    std::string text(1000, '\0');
    text.resize(static_cast<std::size_t>(::pread(descriptor, text.data(), text.size(), 0)));
    return text;
  }

  fs::path directory_;
  TaskGroup group_{[](const std::string&, const std::exception& error) { ADD_FAILURE() << error.what(); }};
  ShardSet shards_{1};
  WorkerPool pool_{"media", 1, 10};
  std::optional<MediaFiles> files_;
};

TEST_F(MediaFilesTest, KeepsWhatWasWritten) {
  auto test = [](MediaFiles& files) -> Task<> {
    auto incoming = files.receive(UploadId("01J0000000000000000000000A"), 100);
    EXPECT_TRUE(co_await incoming->write(kPng.substr(0, 10)));
    EXPECT_TRUE(co_await incoming->write(kPng.substr(10)));
    const auto kept = co_await incoming->keep();
    EXPECT_TRUE(kept);
    EXPECT_EQ(kept->size, 33u);
    EXPECT_EQ(kept->content_type, "image/png");
    incoming.reset();
    const auto descriptor = co_await files.open(UploadId("01J0000000000000000000000A"));
    EXPECT_TRUE(descriptor);
    EXPECT_EQ(content(*descriptor), kPng);
  };
  run(test(*files_));
  EXPECT_EQ(files_on_disk(), 1u);
  struct stat status{};
  EXPECT_EQ(::stat((directory_ / "media" / "0A" / "01J0000000000000000000000A").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(MediaFilesTest, LeavesNothingOfATornUpload) {
  auto test = [](MediaFiles& files) -> Task<> {
    auto incoming = files.receive(UploadId("01J0000000000000000000000A"), 100);
    EXPECT_TRUE(co_await incoming->write("half"));
  };
  run(test(*files_));
  EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(MediaFilesTest, LeavesNothingAfterACrash) {
  std::ofstream(directory_ / "media" / "incoming" / "01J0000000000000000000000A") << "half";
  files_.emplace(directory_ / "media", pool_);
  EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(MediaFilesTest, StopsAtTheLimit) {
  auto test = [](MediaFiles& files) -> Task<> {
    auto incoming = files.receive(UploadId("01J0000000000000000000000A"), 10);
    EXPECT_TRUE(co_await incoming->write("0123456789"));
    const auto over = co_await incoming->write("x");
    EXPECT_EQ(over.error().code, Errc::too_large);
  };
  run(test(*files_));
}

TEST_F(MediaFilesTest, TakesAnEmptyFile) {
  auto test = [](MediaFiles& files) -> Task<> {
    const auto kept = co_await files.receive(UploadId("01J0000000000000000000000A"), 10)->keep();
    EXPECT_EQ(kept->size, 0u);
    EXPECT_EQ(kept->content_type, "application/octet-stream");
  };
  run(test(*files_));
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(MediaFilesTest, FindsNothingThatWasNotKept) {
  auto test = [](MediaFiles& files) -> Task<> {
    EXPECT_EQ(co_await files.open(UploadId("01J0000000000000000000000A")), nullptr);
    co_await files.remove(UploadId("01J0000000000000000000000A"));
  };
  run(test(*files_));
}

struct TypeCase {
  std::string content;
  std::string type;
};

TEST_F(MediaFilesTest, GoesByTheContent) {
  const std::vector<TypeCase> cases{
      {kPng, "image/png"},
      {"GIF89a\x01\x00\x01\x00", "image/gif"},
      {"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"},
      {"<!DOCTYPE html><html><script>alert(1)</script></html>", "text/html"},
      {"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", "image/svg+xml"},
      {"Hello, world\n", "text/plain"},
      {std::string("\x00\x01\x02\x03\xfe\xff\x00\x80", 8), "application/octet-stream"},
  };
  auto test = [](MediaFiles& files, const std::vector<TypeCase>& table) -> Task<> {
    for (std::size_t i = 0; i < table.size(); ++i) {
      auto incoming = files.receive(UploadId("01J00000000000000000000000" + std::to_string(i)), 1000);
      EXPECT_TRUE(co_await incoming->write(table[i].content));
      const auto kept = co_await incoming->keep();
      EXPECT_EQ(kept->content_type, table[i].type);
    }
  };
  run(test(*files_, cases));
}

}  // namespace
}  // namespace payam::chat
