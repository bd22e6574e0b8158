#include "chat/auth/password_denylist.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace payam::chat {
namespace {

using ::testing::HasSubstr;

class PasswordDenylistTest : public ::testing::Test {
 protected:
  PasswordDenylistTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payam-denylist-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~PasswordDenylistTest() override { std::filesystem::remove_all(directory_); }

  PasswordDenylist list_of(const std::string& text) {
    const auto file = directory_ / "list";
    std::ofstream(file, std::ios::binary) << text;
    return PasswordDenylist::read(file);
  }
  static std::string error_of(const std::filesystem::path& file) {
    try {
      PasswordDenylist::read(file);
      return "none";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::filesystem::path directory_;
};

TEST(PasswordDenylist, WithoutAFileRefusesNothing) { EXPECT_FALSE(PasswordDenylist().contains("password")); }

TEST_F(PasswordDenylistTest, HoldsWhatIsInTheFile) {
  const auto list = list_of("password\nletmein\r\n\n  spaces  \npassword\nlast one");
  EXPECT_EQ(list.size(), 4u);
  for (const char* password : {"password", "letmein", "  spaces  ", "last one"})
    EXPECT_TRUE(list.contains(password)) << password;
  for (const char* password : {"", "passwor", "password ", "spaces", "letmein\r"})
    EXPECT_FALSE(list.contains(password)) << password;
}

TEST_F(PasswordDenylistTest, ComparesWithoutCaseAndInOneForm) {
  const auto list = list_of("PassWord\ncafe\u0301 crème\nSTRASSE\n\u0130stanbul");
  EXPECT_TRUE(list.contains("pASSwORD"));
  EXPECT_TRUE(list.contains("CAFÉ CRÈME"));
  EXPECT_TRUE(list.contains("Café cre\u0300me"));
  EXPECT_TRUE(list.contains("straße"));
  EXPECT_TRUE(list.contains("i\u0307STANBUL"));
  EXPECT_FALSE(list.contains("cafe creme"));
}

TEST_F(PasswordDenylistTest, TakesAnyBytes) {
  const auto list = list_of(std::string("\xff\xfe\0binary\n", 10) + std::string(5000, 'a') + "\nok password\n");
  EXPECT_TRUE(list.contains("ok password"));
  EXPECT_TRUE(list.contains(std::string_view("\xff\xfe\0binary", 9)));
  EXPECT_EQ(list.size(), 2u) << "no password is 5000 bytes long";
  EXPECT_EQ(list_of("").size(), 0u);
}

TEST_F(PasswordDenylistTest, AFileThatCannotBeReadIsAClearError) {
  EXPECT_EQ(error_of(directory_ / "missing"),
            "PASSWORD_DENYLIST: " + (directory_ / "missing").string() + ": No such file or directory");
  EXPECT_EQ(error_of(directory_), "PASSWORD_DENYLIST: " + directory_.string() + ": not a file");
  const auto pipe = directory_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of(pipe), HasSubstr("not a file"));
  const auto huge = directory_ / "huge";
  std::ofstream(huge).close();
  std::filesystem::resize_file(huge, PasswordDenylist::kMaxFileBytes + 1);  // a hole
  EXPECT_THAT(error_of(huge), HasSubstr("larger than 256 MiB"));
  if (geteuid() == 0) return;  // root reads everything
  const auto secret = directory_ / "secret";
  std::ofstream(secret) << "password";
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  EXPECT_THAT(error_of(secret), HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace payam::chat
