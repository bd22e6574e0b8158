#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>

#include "base/descriptor.hpp"
#include "chat/api/testing/rest_fixture.hpp"
#include "http/percent.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat::api {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kPng("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89", 33);

class MediaEndpoints : public RestFixture {
 protected:
  static std::string form(std::string_view content, std::string_view name, std::string_view field = "file") {
    return "--b0\r\nContent-Disposition: form-data; name=\"" + std::string(field) + "\"; filename=\"" + std::string(name) +
           "\"\r\nContent-Type: text/html\r\n\r\n" + std::string(content) + "\r\n--b0--\r\n";
  }
  Reply post_form(std::string body, const std::string& token, bool torn = false) {
    return call(http::Method::post, "/chat/upload_media/", std::move(body),
                {.token = token,
                 .content_type = "multipart/form-data; boundary=b0",
                 .headers = {},
                 .secure = false,
                 .piece = 7,
                 .torn = torn});
  }
  std::string upload(std::string_view content, std::string_view name) {
    const Reply reply = post_form(form(content, name), sara);
    EXPECT_EQ(reply.status, 200) << reply.text;
    return std::string(reply.body().at("id").as_string());
  }
  Reply fetch(const std::string& url, const std::string& token, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return call(http::Method::get, http::percent_decode(url), "", {.token = token, .headers = std::move(headers)});
  }
  UserId user_of(const std::string& name) {
    UserId id;
    on_shard([&]() -> Task<> { id = (co_await store_->find_user_by_email(name + "@example.org")).value().id; });
    return id;
  }
  std::size_t files_on_disk() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(media_directory_))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  const std::string sara = arrive("sara"), omid = arrive("omid"), nima = arrive("nima");
};

TEST_F(MediaEndpoints, AnUploadIsRecordedAndServed) {
  const Reply reply = post_form(form(kPng, "عکس ۱.png"), sara);
  EXPECT_EQ(reply.status, 200) << reply.text;
  const auto upload = reply.body();
  const std::string id(upload.at("id").as_string());
  EXPECT_EQ(text_of(upload.at("file_url")), "/media/" + id + "/%D8%B9%DA%A9%D8%B3%20%DB%B1.png");
  EXPECT_EQ(upload.at("name"), "عکس ۱.png");
  EXPECT_EQ(upload.at("size"), 33);
  EXPECT_EQ(upload.at("content_type"), "image/png") << "by the content, not by the client's word";

  const Reply file = fetch(std::string(upload.at("file_url").as_string()), sara);
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.text, kPng);
  EXPECT_EQ(file.headers.at("Content-Type"), "image/png");
  EXPECT_EQ(file.headers.at("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(file.headers.at("Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(file.headers.at("Cache-Control"), "private, max-age=31536000, immutable");
  EXPECT_THAT(file.headers.at("Content-Disposition"), StartsWith("inline;"));
}

TEST_F(MediaEndpoints, WhatCouldRunInABrowserIsSavedInstead) {
  const Reply reply = post_form(form("<!DOCTYPE html><html><script>alert(1)</script></html>", "holiday.png"), sara);
  const Reply file = fetch(std::string(reply.body().at("file_url").as_string()), sara);
  EXPECT_EQ(file.headers.at("Content-Type"), "text/html");
  EXPECT_THAT(file.headers.at("Content-Disposition"), StartsWith("attachment;"));
}

TEST_F(MediaEndpoints, PartsAndKnownFilesAreServedAsAsked) {
  const std::string url = "/media/" + upload("0123456789", "a.txt") + "/a.txt";
  const Reply part = fetch(url, sara, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.text, "234");
  EXPECT_EQ(part.headers.at("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(fetch(url, sara, {{"Range", "bytes=10-"}}).status, 416);
  const std::string etag = fetch(url, sara).headers.at("ETag");
  const Reply known = fetch(url, sara, {{"If-None-Match", etag}});
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.text, "");
}

TEST_F(MediaEndpoints, StrangersFindNothingUntilItIsSentToTheirRoom) {
  const std::string id = upload("secret", "a.txt"), url = "/media/" + id + "/a.txt";
  const std::string room = create_room(sara, {"omid"});
  EXPECT_EQ(fetch(url, omid).status, 404);
  EXPECT_EQ(post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + id + "\"]}", sara).status,
            201);
  EXPECT_EQ(fetch(url, omid).text, "secret");
  EXPECT_EQ(fetch(url, nima).status, 404);
  del("/chat/chat_rooms/" + room + "/members/omid@example.org", sara);
  EXPECT_EQ(fetch(url, omid).status, 404) << "who was removed";
}

TEST_F(MediaEndpoints, TheBareLinkSharesItToo) {
  const std::string url = "/media/" + upload("secret", "a.txt") + "/a.txt";
  const std::string room = create_room(sara, {"omid"});
  post("/chat/chat_rooms/" + room + "/messages", R"({"content":"look: )" + url + "\"}", sara);
  EXPECT_EQ(fetch(url, omid).status, 200);
}

TEST_F(MediaEndpoints, AnAttachmentIsTheSendersOwn) {
  const std::string id = upload("secret", "a.txt");
  const std::string room = create_room(omid);
  EXPECT_EQ(post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + id + "\"]}", omid).status,
            400);
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", omid).status, 404);
}

TEST_F(MediaEndpoints, AMessageShowsItsAttachments) {
  const std::string id = upload("0123456789", "a.txt");
  const std::string room = create_room(sara);
  const Reply sent = post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + id + "\"]}", sara);
  EXPECT_EQ(sent.body().at("attachments"), json::parse(R"([{"file_url":"/media/)" + id + R"(/a.txt","id":")" + id +
                                                       R"(","name":"a.txt","size":10,"content_type":"text/plain"}])"));
}

TEST_F(MediaEndpoints, TheCookieServesABrowser) {
  const std::string id = upload("0123456789", "a.txt");
  const Reply login = post("/auth/login", R"({"email":"sara@example.org","password":"password of sara"})");
  const std::string cookie = login.headers.at("Set-Cookie").substr(0, login.headers.at("Set-Cookie").find(';'));
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", "", {{"Cookie", "theme=dark; " + cookie + "; x=y"}}).status, 200);
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", "", {{"Cookie", "payam_media=" + sara}}).status, 401)
      << "no access token in a cookie";
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", "", {{"Cookie", "payam_media="}}).status, 401);
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", "").detail(), "Not authenticated");
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", "nonsense", {{"Cookie", cookie}}).status, 401)
      << "a bad token is no reason to try the cookie";
}

TEST_F(MediaEndpoints, NoCookieEverAuthenticatesAChange) {
  const Reply login = post("/auth/login", R"({"email":"sara@example.org","password":"password of sara"})");
  const std::string cookie = login.headers.at("Set-Cookie").substr(0, login.headers.at("Set-Cookie").find(';'));
  EXPECT_EQ(call(http::Method::post, "/chat/chat_rooms/", R"({"name":"x"})", {.headers = {{"Cookie", cookie}}}).status, 401);
  EXPECT_EQ(call(http::Method::post, "/chat/upload_media/", form("x", "a"),
                 {.content_type = "multipart/form-data; boundary=b0", .headers = {{"Cookie", cookie}}})
                .status,
            401);
}

TEST_F(MediaEndpoints, OnlyTheNameItHasFindsIt) {
  const std::string id = upload("0123456789", "a.txt");
  EXPECT_EQ(fetch("/media/" + id + "/b.txt", sara).status, 404);
  EXPECT_EQ(fetch("/media/" + id, sara).status, 404);
  EXPECT_EQ(fetch("/media/01J0000000000000000000000A/a.txt", sara).status, 404);
  EXPECT_EQ(fetch("/media/..%2F..%2Fkeys/jwt.pem", sara).status, 404);
}

TEST_F(MediaEndpoints, AFileOverTheLimitIs413AndLeavesNothing) {
  EXPECT_EQ(post_form(form(std::string(1000, 'x'), "a"), sara).status, 200);
  const Reply reply = post_form(form(std::string(1001, 'x'), "a"), sara);
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.detail(), "The file is larger than 1000 bytes");
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(MediaEndpoints, WhoHasComeToTheirQuotaIs413AndOthersGoOn) {
  static_assert(kUserQuota == 2500);
  for (int i = 0; i < 2; ++i) upload(std::string(1000, 'x'), "a");
  const Reply reply = post_form(form(std::string(501, 'x'), "a"), sara);
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.text, R"({"detail":"Your uploads have come to all you may store","reason":"quota"})");
  EXPECT_EQ(files_on_disk(), 2u);
  EXPECT_EQ(post_form(form(std::string(500, 'x'), "a"), sara).status, 200);
  EXPECT_EQ(post_form(form("x", "a"), sara).status, 413);
  EXPECT_EQ(post_form(form("x", "a"), omid).status, 200);
}

TEST_F(MediaEndpoints, TheQuotaCountsBytesThatAreStillOnTheirWay) {
  const Caller caller{"192.0.2.1", user_of("sara").str()};
  on_shard([&]() -> Task<> {
    auto one = (co_await uploads_.receive(caller, 0)).value(), other = (co_await uploads_.receive(caller, 0)).value();
    const std::string bytes(900, 'x');
    EXPECT_TRUE(co_await one.write(bytes));
    EXPECT_TRUE(co_await other.write(bytes));
    auto third = (co_await uploads_.receive(caller, 0)).value();
    EXPECT_EQ((co_await third.write(bytes)).error().reason, "quota") << "1800 of 2500 are on their way";
    EXPECT_EQ((co_await one.finish("a")).value().size, 900u);
    EXPECT_EQ((co_await other.finish("b")).value().size, 900u);
    EXPECT_TRUE(co_await third.write(std::string_view(bytes).substr(0, 700)));
  });
}

TEST_F(MediaEndpoints, ALengthThatIsOverTheQuotaIsRefusedBeforeTheBytes) {
  const Reply reply = call(http::Method::post, "/chat/upload_media/", form("x", "a"),
                           {.token = sara,
                            .content_type = "multipart/form-data; boundary=b0",
                            .headers = {{"Content-Length", std::to_string(2501 + 64 * 1024)}}});
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.body().at("reason"), "quota");
}

TEST_F(MediaEndpoints, ACallerHasOnlySoManyUploadsUnderWay) {
  const std::string id = user_of("sara").str();
  on_shard([&]() -> Task<> {
    std::vector<Uploads::Receiving> under_way;
    for (int i = 0; i < 3; ++i) under_way.push_back((co_await uploads_.receive({"192.0.2.1", id}, 0)).value());
    EXPECT_EQ((co_await uploads_.receive({"192.0.2.9", id}, 0)).error().code, Errc::rate_limited) << "the person";
    under_way.push_back((co_await uploads_.receive({"192.0.2.1", "x"}, 0)).value());
    EXPECT_EQ((co_await uploads_.receive({"192.0.2.1", "y"}, 0)).error().code, Errc::rate_limited) << "the address";
    under_way.push_back((co_await uploads_.receive({"192.0.2.2", "y"}, 0)).value());
    EXPECT_EQ((co_await uploads_.receive({"192.0.2.3", "z"}, 0)).error().code, Errc::unavailable) << "all together";
    EXPECT_EQ(uploads_.under_way().held(), 5u);
  });
  EXPECT_EQ(uploads_.under_way().held(), 0u);
  EXPECT_EQ(post_form(form("x", "a"), sara).status, 200);
}

TEST_F(MediaEndpoints, BelowTheReserveUploadsAre507AndReadingGoesOn) {
  const std::string id = upload("0123456789", "a.txt");
  disk_.measured(0, 10'000);
  const Reply reply = post_form(form("x", "a"), sara);
  EXPECT_EQ(reply.status, 507);
  EXPECT_EQ(reply.detail(), "No space left on the server");
  EXPECT_EQ(files_on_disk(), 1u);
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", sara).text, "0123456789");
  disk_.measured(510, 10'000);  // of which 500 stay free
  EXPECT_EQ(post_form(form(std::string(11, 'x'), "a"), sara).status, 507) << "as its bytes come";
  disk_.measured(510, 10'000);
  EXPECT_EQ(post_form(form("x", "a"), sara).status, 200);
}

std::string text_of_unavailable(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
    return "nothing was thrown";
  } catch (const Unavailable& unavailable) {
    return unavailable.what();
  } catch (const std::exception& other) {
    return std::string("not Unavailable: ") + other.what();
  }
}

TEST_F(MediaEndpoints, WithoutDescriptorsAnUploadIs503) {
  const std::string id = upload("0123456789", "a.txt");
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", sara).status, 200);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const Descriptor next(::dup(0));
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(next.get());
  std::exception_ptr writing, opening;  // looked at when there are descriptors again, which the sanitizers need for that
  on_shard([&]() -> Task<> {
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    try {
      auto receiving = co_await uploads_.receive({"192.0.2.1", "x"}, 0);
      co_await receiving->write("x");
    } catch (...) {
      writing = std::current_exception();
    }
    try {
      co_await files_.open(UploadId(id));
    } catch (...) {
      opening = std::current_exception();
    }
    ::setrlimit(RLIMIT_NOFILE, &limit);
  });
  EXPECT_EQ(text_of_unavailable(writing), "create an upload: Too many open files");
  EXPECT_EQ(text_of_unavailable(opening), "open an upload: Too many open files");
}

TEST_F(MediaEndpoints, WhatNoMessageRefersToIsSweptAfterADay) {
  const std::string shown = upload("shown", "a.txt"), forgotten = upload("forgotten", "b.txt");
  const std::string room = create_room(sara);
  post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + shown + "\"]}", sara);
  const auto sweep = [this](std::chrono::seconds later) {
    on_shard([this, later]() -> Task<> { co_await uploads_.sweep_unused(wall_now() + later); });
  };
  sweep(std::chrono::hours(24) - std::chrono::minutes(10));
  EXPECT_EQ(files_on_disk(), 2u);
  sweep(std::chrono::hours(24) + std::chrono::minutes(10));
  EXPECT_EQ(files_on_disk(), 1u);
  EXPECT_EQ(fetch("/media/" + shown + "/a.txt", sara).text, "shown");
  EXPECT_EQ(fetch("/media/" + forgotten + "/b.txt", sara).status, 404);
  EXPECT_EQ(
      post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + forgotten + "\"]}", sara).status,
      400)
      << "who sends it now is told that there is none";
  EXPECT_EQ(uploads_.swept(), 1u);
}

TEST_F(MediaEndpoints, AnErasedAccountsFilesGoUnlessAMessageShowsThem) {
  const std::string shown = upload("shown", "a.txt");
  upload("forgotten", "b.txt");
  const std::string room = create_room(sara, {"omid"});
  post("/chat/chat_rooms/" + room + "/messages", R"({"content":"","attachments":[")" + shown + "\"]}", sara);
  EXPECT_EQ(call(http::Method::del, "/auth/users/me", R"({"password":"password of sara"})", {.token = sara}).status, 204);
  on_shard([this]() -> Task<> { co_await uploads_.sweep_unused(wall_now()); });
  EXPECT_EQ(files_on_disk(), 1u);
  EXPECT_EQ(fetch("/media/" + shown + "/a.txt", omid).text, "shown");
}

TEST_F(MediaEndpoints, BytesThatACrashLeftWithoutARecordAreSwept) {
  const std::string id = upload("kept", "a.txt");
  on_shard([this]() -> Task<> {
    auto incoming = files_.receive(UploadId("01J0000000000000000000000A"), 100);
    EXPECT_TRUE(co_await incoming->write("orphan"));
    EXPECT_TRUE(co_await incoming->keep());
  });
  EXPECT_EQ(files_on_disk(), 2u);
  for (int round = 0; round < 3; ++round) {  // more than there are directories
    const auto kept = files_.next_kept(wall_now() + std::chrono::hours(1));
    on_shard([&]() -> Task<> { co_await uploads_.sweep_orphans(kept); });
  }
  EXPECT_EQ(files_on_disk(), 1u);
  EXPECT_EQ(fetch("/media/" + id + "/a.txt", sara).text, "kept");
}

TEST_F(MediaEndpoints, ATornUploadLeavesNothing) {
  std::string body = form("0123456789", "a.txt");
  body.resize(body.size() - 12);
  EXPECT_EQ(post_form(body, sara, true).status, 400);
  EXPECT_EQ(post_form(body, sara).status, 400) << "an end without the closing boundary";
  EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(MediaEndpoints, AFormWithoutAFileIs422) {
  for (const std::string& body :
       {form("x", "a.txt", "other"),
        std::string("--b0\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ntext\r\n--b0--\r\n"),
        std::string("--b0--\r\n")}) {
    const Reply reply = post_form(body, sara);
    EXPECT_EQ(reply.status, 422) << body;
    EXPECT_EQ(reply.body().at("detail").at(0).at("loc"), json::parse(R"(["body","file"])"));
  }
  EXPECT_EQ(call(http::Method::post, "/chat/upload_media/", "{}", {.token = sara}).status, 422);
}

TEST_F(MediaEndpoints, OnlyTheFirstFileCounts) {
  const std::string body =
      "--b0\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n"
      "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nfirst\r\n"
      "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\n\r\nsecond\r\n--b0--\r\n";
  const Reply reply = post_form(body, sara);
  EXPECT_EQ(reply.body().at("name"), "a.txt");
  EXPECT_EQ(reply.body().at("size"), 5);
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(MediaEndpoints, ANameIsNeverAPath) {
  EXPECT_EQ(post_form(form("x", "../../etc/passwd"), sara).body().at("name"), "passwd");
  EXPECT_EQ(post_form(form("x", "C:\\fakepath\\a.txt"), sara).body().at("name"), "a.txt");
  EXPECT_EQ(post_form(form("x", ""), sara).body().at("name"), "file");
  EXPECT_EQ(post_form(form("x", "\xff\xfe"), sara).body().at("name"), "file");
}

}  // namespace
}  // namespace payam::chat::api
