#include "web/site.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <regex>
#include <set>
#include <string>

#include "runtime/shard.hpp"
#include "web/embedded.hpp"

namespace payam::web {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Site : public testing::Test {
 protected:
  Site() { add_routes(router_); }

  http::Response get(const std::string& path, http::Headers headers = {}) {
    const auto match = router_.match(http::Method::get, path);
    if (match.route == nullptr) throw std::runtime_error("no route for " + path);
    http::Request request;
    request.path = path;
    request.headers = std::move(headers);
    http::Response response;
    asio::co_spawn(context_, match.route->serve(shard_, request), [&](const std::exception_ptr& thrown, http::Response result) {
      if (thrown) std::rethrow_exception(thrown);
      response = std::move(result);
    });
    context_.restart();
    context_.run();
    return response;
  }

  static std::string header(const http::Response& response, std::string_view name) {
    return std::string(response.headers.find(name).value_or("(none)"));
  }

  http::Router router_;
  asio::io_context context_;
  Shard shard_{0, context_};
};

http::Headers headers(std::string name, std::string value) {
  http::Headers all;
  all.add(std::move(name), std::move(value));
  return all;
}

std::string text(const http::Response& response) { return std::get<std::string>(response.body); }

TEST_F(Site, ServesThePageWithAPolicyThatAllowsNoInlineScript) {
  const auto page = chat_page({});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(header(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(text(page), StartsWith("<!doctype html>"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'; script-src 'self'; style-src 'self';"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
  EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
}

TEST_F(Site, SendsGzipToWhoAcceptsIt) {
  const auto plain = get("/web/style.css");
  EXPECT_EQ(header(plain, "Content-Encoding"), "(none)");
  EXPECT_THAT(text(plain), HasSubstr("Vazirmatn"));
  const auto packed = get("/web/style.css", headers("Accept-Encoding", "gzip, br"));
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_THAT(text(packed), StartsWith("\x1f\x8b"));
  EXPECT_LT(text(packed).size(), text(plain).size());
  EXPECT_EQ(header(packed, "Vary"), "Accept-Encoding");
}

TEST_F(Site, AnswersNotModifiedToWhoHasItAlready) {
  const auto etag = header(get("/web/style.css"), "ETag");
  EXPECT_THAT(etag, testing::MatchesRegex("\"[0-9a-f]{16}\""));
  const auto again = get("/web/style.css", headers("If-None-Match", etag));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(text(again), "");
  EXPECT_EQ(get("/web/style.css", headers("If-None-Match", "\"other\"")).status, 200);
}

TEST_F(Site, KnowsNothingElse) {
  for (const std::string path : {"/web/none.css", "/web/../web/style.css", "/web/js"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

// Every address the pages, the style sheet and the scripts name is served, so that nothing is asked from elsewhere.
TEST_F(Site, CarriesWhateverItsFilesReferTo) {
  std::set<std::string> addresses;
  for (const auto& file : embedded()) addresses.emplace(file.address);
  const std::regex absolute(R"re((?:src="|href="|url\("|from ')(/[^"')]*)["'])re");
  const std::regex relative(R"re(from '\./([^']*)')re");
  int references = 0;
  for (const auto& address : addresses) {
    if (address.starts_with("/web/vendor/")) continue;
    const auto content = text(get(address));
    const std::sregex_iterator end;
    for (std::sregex_iterator it(content.begin(), content.end(), absolute); it != end; ++it, ++references) {
      EXPECT_THAT(addresses, Contains((*it)[1].str())) << "in " << address;
    }
    for (std::sregex_iterator it(content.begin(), content.end(), relative); it != end; ++it, ++references) {
      EXPECT_THAT(addresses, Contains("/web/js/" + (*it)[1].str())) << "in " << address;
    }
  }
  EXPECT_GT(references, 20);
}

}  // namespace
}  // namespace payam::web
