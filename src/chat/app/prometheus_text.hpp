// Writes metrics in Prometheus' text format, version 0.0.4:
//
//   # HELP payam_rooms Rooms with somebody in them
//   # TYPE payam_rooms gauge
//   payam_rooms 12
//
// Pure. The samples of a family follow its beginning.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace payam::chat {

class PrometheusText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begin a family. A counter's name ends in `_total`.
  void counter(std::string_view name, std::string_view help) { begin(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { begin(name, help, "gauge"); }
  void histogram(std::string_view name, std::string_view help) { begin(name, help, "histogram"); }

  void sample(double value, Labels labels = {});
  void sample(std::uint64_t value, Labels labels = {});
  // `counts`: one a bound, not cumulated, and those above the last.
  void buckets(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum, Labels labels = {});

  std::string take() { return std::move(text_); }

 private:
  void begin(std::string_view name, std::string_view help, std::string_view type);
  void line(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);

  std::string text_;
  std::string name_;
};

}  // namespace payam::chat
