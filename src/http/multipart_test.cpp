#include "http/multipart.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace payam::http {
namespace {

using testing::ElementsAre;

struct SeenPart {
  std::string name, filename, content_type, data;
  bool operator==(const SeenPart&) const = default;
};

struct Outcome {
  std::vector<SeenPart> parts;
  bool ended = false;
};

// Reads `body` in pieces of `step` bytes.
Outcome read_all(std::string_view body, std::size_t step, MultipartReader::Limits limits = {}) {
  MultipartReader reader("XX", limits);
  Outcome outcome;
  for (;;) {
    switch (reader.next()) {
      case MultipartReader::Event::need_input:
        if (body.empty()) {
          reader.finish();
        } else {
          reader.give(body.substr(0, step));
          body.remove_prefix(std::min(step, body.size()));
        }
        break;
      case MultipartReader::Event::part:
        outcome.parts.push_back({reader.part().name, reader.part().filename.value_or("-"), reader.part().content_type, ""});
        break;
      case MultipartReader::Event::data: outcome.parts.back().data += reader.data(); break;
      case MultipartReader::Event::part_end: outcome.parts.back().data += "|"; break;
      case MultipartReader::Event::end: outcome.ended = true; return outcome;
      case MultipartReader::Event::malformed: return outcome;
    }
  }
}

constexpr std::string_view kTwoParts =
    "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nسلام\r\n--X not yet\r\n--XX \t\r\n"
    "content-type: image/png\r\nCONTENT-DISPOSITION: form-data; name=\"file\"; filename=\"عکس.png\"; filename*=utf-8''evil\r\n"
    "\r\n\r\n\r\n-\r\n--XX--\r\nepilogue --XX";

TEST(Multipart, ReadsTheSamePartsHoweverTheBodyIsCut) {
  for (std::size_t step = 1; step <= kTwoParts.size(); ++step) {
    const auto outcome = read_all(kTwoParts, step);
    EXPECT_TRUE(outcome.ended) << step;
    EXPECT_THAT(outcome.parts, ElementsAre(SeenPart{"note", "-", "", "سلام\r\n--X not yet|"},
                                           SeenPart{"file", "عکس.png", "image/png", "\r\n\r\n-|"}))
        << step;
  }
}

TEST(Multipart, TheFirstBoundaryMayBeTheFirstBytes) {
  const auto outcome = read_all("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--", 1000);
  EXPECT_TRUE(outcome.ended);
  EXPECT_THAT(outcome.parts, ElementsAre(SeenPart{"a", "-", "", "|"}));
}

TEST(Multipart, AFormWithoutPartsEnds) {
  const auto outcome = read_all("--XX--", 1);
  EXPECT_TRUE(outcome.ended);
  EXPECT_TRUE(outcome.parts.empty());
}

TEST(Multipart, RefusesWhatIsTornOrMalformed) {
  for (const std::string_view body : {"", "--XX", "--XX\r\n", "no boundary at all",
                                      "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ndata",           // no end
                                      "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ndata\r\n--XX",   // half an end
                                      "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ndata\r\n--XX-",  //
                                      "--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--",                 // no name
                                      "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n\r\n--XX--",    //
                                      "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--XX--",  // an open quote
                                      "--XX\r\n\r\ndata\r\n--XX--",                                          // no fields
                                      "--XXrubbish\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--XX--"}) {
    for (const std::size_t step : {1u, 1000u}) EXPECT_FALSE(read_all(body, step).ended) << body;
  }
}

TEST(Multipart, PartsAndTheirHeadsAreLimited) {
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
  EXPECT_TRUE(read_all(part + part + "--XX--", 7, {.part_head = 100, .parts = 2}).ended);
  EXPECT_FALSE(read_all(part + part + part + "--XX--", 7, {.part_head = 100, .parts = 2}).ended);
  EXPECT_FALSE(read_all("--XX\r\nX: " + std::string(200, 'x'), 7, {.part_head = 100, .parts = 2}).ended);
  EXPECT_FALSE(read_all("--XX" + std::string(200, ' '), 7, {.part_head = 100, .parts = 2}).ended);
}

TEST(Multipart, TheBoundaryComesFromTheContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=----WebKit12"), "----WebKit12");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  for (const char* bad : {"multipart/mixed; boundary=a", "multipart/form-data", "multipart/form-data; boundary=", "",
                          "multipart/form-data; boundary=\"a ", "multipart/form-data; boundary=\"a \""}) {
    EXPECT_FALSE(multipart_boundary(bad)) << bad;
  }
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
}

}  // namespace
}  // namespace payam::http
