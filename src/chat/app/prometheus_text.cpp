#include "chat/app/prometheus_text.hpp"

#include <fmt/format.h>

namespace payam::chat {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

void PrometheusText::begin(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void PrometheusText::line(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value) {
  text_.append(name_).append(suffix);
  char before = '{';
  const auto add = [&](std::string_view key, std::string_view text) {
    text_ += fmt::format("{}{}=\"{}\"", before, key, escaped(text));
    before = ',';
  };
  for (const auto& [key, text] : labels) add(key, text);
  if (!bound.empty()) add("le", bound);
  if (before == ',') text_ += '}';
  text_.append(" ").append(value).append("\n");
}

void PrometheusText::sample(double value, Labels labels) { line("", labels, "", fmt::format("{}", value)); }

void PrometheusText::sample(std::uint64_t value, Labels labels) { line("", labels, "", fmt::format("{}", value)); }

void PrometheusText::buckets(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum, Labels labels) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    line("_bucket", labels, i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf", fmt::format("{}", total));
  }
  line("_sum", labels, "", fmt::format("{}", sum));
  line("_count", labels, "", fmt::format("{}", total));
}

}  // namespace payam::chat
