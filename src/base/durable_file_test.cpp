#include "base/durable_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

namespace payam {
namespace {

class DurableFile : public testing::Test {
 protected:
  DurableFile() {
    std::string pattern = testing::TempDir() + "durable-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~DurableFile() override { std::filesystem::remove_all(directory_); }

  static std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::filesystem::path directory_;
};

TEST_F(DurableFile, IsWrittenWithItsMode) {
  const auto file = directory_ / "file";
  const std::string bytes(200'000, '\0');
  ASSERT_FALSE(write_durably(file, bytes, 0600));
  EXPECT_FALSE(sync_directory(directory_));
  EXPECT_EQ(read(file), bytes);
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(DurableFile, ReplacesWhatIsThere) {
  const auto file = directory_ / "file";
  ASSERT_FALSE(write_durably(file, "a longer text", 0600));
  ASSERT_FALSE(write_durably(file, "text", 0600));
  EXPECT_EQ(read(file), "text");
}

TEST_F(DurableFile, SaysWhyItCannot) {
  EXPECT_EQ(write_durably(directory_ / "none" / "file", "text", 0600), std::errc::no_such_file_or_directory);
  EXPECT_EQ(sync_directory(directory_ / "none"), std::errc::no_such_file_or_directory);
}

TEST_F(DurableFile, LeavesNoPartOfItself) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto fault = write_durably(directory_ / "file", std::string(2000, 'x'), 0600);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(fault, std::errc::file_too_large);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

}  // namespace
}  // namespace payam
