#include "chat/media/file_name.hpp"

#include <gtest/gtest.h>

namespace payam::chat {
namespace {

TEST(FileName, IsNeverAPath) {
  EXPECT_EQ(clean_file_name("photo.jpg"), "photo.jpg");
  EXPECT_EQ(clean_file_name("/etc/passwd"), "passwd");
  EXPECT_EQ(clean_file_name("..\\..\\boot.ini"), "boot.ini");
  EXPECT_EQ(clean_file_name("a/b/"), "file");
  EXPECT_EQ(clean_file_name(".."), "file");
  EXPECT_EQ(clean_file_name("."), "file");
  EXPECT_EQ(clean_file_name(""), "file");
  EXPECT_EQ(clean_file_name("   "), "file");
  EXPECT_EQ(clean_file_name(".bashrc"), ".bashrc");
}

TEST(FileName, HoldsNoControlCharacters) {
  EXPECT_EQ(clean_file_name("a\r\nSet-Cookie: b.txt"), "aSet-Cookie: b.txt");
  EXPECT_EQ(clean_file_name(" عکس ۱.png "), "عکس ۱.png");
}

TEST(FileName, KeepsItsExtensionWhenCut) {
  const std::string cut = clean_file_name(std::string(300, 'a') + ".jpeg");
  EXPECT_EQ(cut, std::string(250, 'a') + ".jpeg");
  std::string letters;
  for (int i = 0; i < 200; ++i) letters += "ع";  // two bytes each
  EXPECT_EQ(clean_file_name(letters + ".mp4"), letters.substr(0, 250) + ".mp4") << "cut between code points";
  EXPECT_EQ(clean_file_name("a." + std::string(300, 'x')).size(), 255u);
}

TEST(FileName, EndsItsUrl) {
  EXPECT_EQ(media_path("01J", "photo 1.jpg"), "/media/01J/photo%201.jpg");
  EXPECT_EQ(media_path("01J", "ع.txt"), "/media/01J/%D8%B9.txt");
  EXPECT_EQ(media_path("01J", "a?b#c%.txt"), "/media/01J/a%3Fb%23c%25.txt");
}

TEST(ContentDisposition, ShowsOnlyPicturesSoundAndVideo) {
  EXPECT_EQ(content_disposition("a.png", "image/png"), "inline; filename=\"a.png\"; filename*=UTF-8''a.png");
  EXPECT_TRUE(content_disposition("a", "audio/mpeg").starts_with("inline;"));
  EXPECT_TRUE(content_disposition("a", "video/mp4").starts_with("inline;"));
  for (const char* type : {"text/html", "application/pdf", "image/svg+xml", "text/plain", "application/octet-stream"}) {
    EXPECT_TRUE(content_disposition("a", type).starts_with("attachment;")) << type;
  }
}

TEST(ContentDisposition, SurvivesEveryName) {
  EXPECT_EQ(content_disposition("a\"b\\c.txt", "text/plain"),
            "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt");
  EXPECT_EQ(content_disposition("ع.txt", "text/plain"), "attachment; filename=\"__.txt\"; filename*=UTF-8''%D8%B9.txt");
}

}  // namespace
}  // namespace payam::chat
