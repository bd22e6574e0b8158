#include "chat/app/http_meters.hpp"

#include <fmt/format.h>

namespace payam::chat {
namespace {

// What strangers ask for makes no series of its own.
constexpr std::string_view kNoRoute = "(none)", kOtherMethod = "other";

std::string_view method_of(const http::RequestRecord& record) {
  const auto method = http::to_string(http::parse_method(record.method));
  return method.empty() ? kOtherMethod : method;
}

}  // namespace

struct HttpMeters::Sum {
  std::array<std::uint64_t, 6> by_class{};
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(SecondsHistogram::bounds().size() + 1);
  double seconds = 0;

  void add(const Series& series) {
    for (std::size_t i = 0; i < by_class.size(); ++i) by_class[i] += series.by_class[i].get();
    bytes += series.bytes.get();
    const auto more = series.seconds.counts();
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += more[i];
    seconds += series.seconds.sum();
  }
};

HttpMeters::HttpMeters(int shards) {
  for (int i = 0; i < shards; ++i) parts_.push_back(std::make_unique<Part>());
}

void HttpMeters::count(const http::RequestRecord& record) {
  Part& part = *parts_[static_cast<std::size_t>(record.shard)];
  const std::pair key{record.pattern.empty() ? kNoRoute : record.pattern, method_of(record)};
  auto found = part.by_key.find(key);
  if (found == part.by_key.end()) {
    Series& made = part.series.emplace_back(Key(key), part.newest.load(std::memory_order_relaxed));
    found = part.by_key.emplace(std::pair<std::string_view, std::string_view>(made.key), &made).first;
    part.newest.store(&made, std::memory_order_release);
  }
  Series& series = *found->second;
  series.by_class[static_cast<std::size_t>(record.status / 100) % 6] += 1;
  series.bytes += record.bytes;
  series.seconds.add(std::chrono::duration<double>(record.duration).count());
}

void HttpMeters::write(PrometheusText& text) const {
  std::map<Key, Sum> sums;
  for (const auto& part : parts_) {
    for (const Series* each = part->newest.load(std::memory_order_acquire); each != nullptr; each = each->next) {
      sums[each->key].add(*each);
    }
  }
  text.counter("payam_http_requests_total",
               "Requests answered, by route, method and class of status (none: the peer left before)");
  for (const auto& [key, sum] : sums) {
    for (std::size_t i = 0; i < sum.by_class.size(); ++i) {
      if (sum.by_class[i] == 0) continue;
      const std::string status = i == 0 ? "none" : fmt::format("{}xx", i);
      text.sample(sum.by_class[i], {{"route", key.first}, {"method", key.second}, {"status", status}});
    }
  }
  text.counter("payam_http_response_bytes_total", "Bytes of responses' bodies sent");
  for (const auto& [key, sum] : sums) text.sample(sum.bytes, {{"route", key.first}, {"method", key.second}});
  text.histogram("payam_http_request_seconds", "From a request's first byte to its response's last; of polls the waiting too");
  for (const auto& [key, sum] : sums) {
    text.buckets(SecondsHistogram::bounds(), sum.counts, sum.seconds, {{"route", key.first}, {"method", key.second}});
  }
}

}  // namespace payam::chat
