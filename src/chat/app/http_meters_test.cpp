#include "chat/app/http_meters.hpp"

#include <gmock/gmock.h>

namespace payam::chat {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

http::RequestRecord record(std::string_view method, std::string_view route, int status, int shard) {
  http::RequestRecord result;
  result.method = method;
  result.pattern = route;
  result.status = status;
  result.bytes = 10;
  result.duration = 2ms;
  result.shard = shard;
  return result;
}

std::string text_of(const HttpMeters& meters) {
  PrometheusText text;
  meters.write(text);
  return text.take();
}

TEST(HttpMeters, RequestsAreAddedUpOverTheShards) {
  HttpMeters meters(2);
  meters.count(record("GET", "/chat/{id}", 200, 0));
  meters.count(record("GET", "/chat/{id}", 200, 1));
  meters.count(record("GET", "/chat/{id}", 404, 1));
  meters.count(record("POST", "/chat/{id}", 0, 1));
  const std::string text = text_of(meters);
  EXPECT_THAT(text, HasSubstr("payam_http_requests_total{route=\"/chat/{id}\",method=\"GET\",status=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_requests_total{route=\"/chat/{id}\",method=\"GET\",status=\"4xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_requests_total{route=\"/chat/{id}\",method=\"POST\",status=\"none\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_response_bytes_total{route=\"/chat/{id}\",method=\"GET\"} 30\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_request_seconds_bucket{route=\"/chat/{id}\",method=\"GET\",le=\"0.001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_request_seconds_bucket{route=\"/chat/{id}\",method=\"GET\",le=\"0.0025\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("payam_http_request_seconds_count{route=\"/chat/{id}\",method=\"GET\"} 3\n"));
}

TEST(HttpMeters, WhatStrangersAskForMakesNoSeriesOfItsOwn) {
  HttpMeters meters(1);
  for (const char* method : {"BREW", "PROPFIND", "secret"}) meters.count(record(method, "", 404, 0));
  const std::string text = text_of(meters);
  EXPECT_THAT(text, HasSubstr("payam_http_requests_total{route=\"(none)\",method=\"other\",status=\"4xx\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("BREW")));
}

}  // namespace
}  // namespace payam::chat
