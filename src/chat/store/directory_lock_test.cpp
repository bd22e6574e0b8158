#include "chat/store/directory_lock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "chat/store/sqlite/temporary_folder.hpp"

namespace payam::chat {
namespace {

std::string refusal(const std::filesystem::path& directory) {
  try {
    const DirectoryLock lock(directory);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(DirectoryLock, MakesTheDirectoryForItsOwnerAlone) {
  const TemporaryFolder folder;
  const auto directory = folder.path() / "a" / "b";
  const DirectoryLock lock(directory);
  EXPECT_EQ(std::filesystem::status(directory).permissions(), std::filesystem::perms::owner_all);
}

TEST(DirectoryLock, RefusesASecondHolderAndNamesTheFirst) {
  const TemporaryFolder folder;
  std::optional<DirectoryLock> first(std::in_place, folder.path());
  EXPECT_EQ(refusal(folder.path()), "the data directory " + folder.path().string() + " is in use by another server (process " +
                                        std::to_string(::getpid()) + ")");
  first.reset();
  EXPECT_EQ(refusal(folder.path()), "");
}

TEST(DirectoryLock, TakesOverWhatADeadServerLeft) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "payam.lock") << "999999999\n";
  EXPECT_EQ(refusal(folder.path()), "");
}

TEST(DirectoryLock, SaysWhyADirectoryCannotBeUsed) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  EXPECT_EQ(refusal(folder.path() / "file"),
            "cannot use the data directory " + (folder.path() / "file").string() + ": Not a directory");
}

}  // namespace
}  // namespace payam::chat
