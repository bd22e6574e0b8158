#include "http/header_value.hpp"

#include <array>

#include "http/message.hpp"

namespace payam::http {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Reads a quoted string whose opening quote is gone and takes it, with the closing quote, from `rest`.
std::optional<std::string> take_quoted(std::string_view& rest, Quoting quoting) {
  std::string out;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '"') {
      rest.remove_prefix(i + 1);
      return out;
    }
    if (c == '\\' && i + 1 < rest.size()) {
      const char next = rest[i + 1];
      if (quoting == Quoting::standard || next == '"' || next == '\\') {
        out += next;
        ++i;
        continue;
      }
    }
    if (c == '%' && quoting == Quoting::form_data) {
      const auto code = rest.substr(i, 3);
      const char decoded = code == "%22"                       ? '"'
                           : equals_ignoring_case(code, "%0D") ? '\r'
                           : equals_ignoring_case(code, "%0A") ? '\n'
                                                               : '\0';
      if (decoded != '\0') {
        out += decoded;
        i += 2;
        continue;
      }
    }
    out += c;
  }
  return std::nullopt;
}

// In thousandths; what is no weight counts as 1000, as it does not say otherwise.
int weight_of(std::string_view text) {
  text = trim(text);
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1000;
  int value = (text[0] - '0') * 1000;
  int place = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') break;
    value += (c - '0') * place;
    place /= 10;
  }
  return std::min(value, 1000);
}

struct Weighted {
  std::string_view name;
  int weight;
};

// `text/html;level=1;q=0.7`: parameters other than the weight are not told apart.
template <class F>
void for_each_weighted(std::string_view list, F visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    auto semicolon = item.find(';');
    Weighted weighted{trim(item.substr(0, semicolon)), 1000};
    while (semicolon != std::string_view::npos) {
      item.remove_prefix(semicolon + 1);
      semicolon = item.find(';');
      const auto parameter = trim(item.substr(0, semicolon));
      if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=') {
        weighted.weight = weight_of(parameter.substr(2));
      }
    }
    if (!weighted.name.empty()) visit(weighted);
  }
}

// How closely a media range names the type: 3 itself, 2 `text/*`, 1 `*/*`, 0 not at all.
int closeness(std::string_view range, std::string_view type) {
  if (equals_ignoring_case(range, type)) return 3;
  if (range == "*/*" || range == "*") return 1;
  const auto slash = type.find('/');
  return range.ends_with("/*") && equals_ignoring_case(range.substr(0, range.size() - 2), type.substr(0, slash)) ? 2 : 0;
}

}  // namespace

std::optional<std::string_view> HeaderValue::parameter(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (equals_ignoring_case(key, name)) return text;
  }
  return std::nullopt;
}

std::optional<HeaderValue> parse_header_value(std::string_view text, Quoting quoting) {
  HeaderValue result;
  auto semicolon = text.find(';');
  result.value = std::string(trim(text.substr(0, semicolon)));
  auto rest = semicolon == std::string_view::npos ? std::string_view{} : text.substr(semicolon + 1);
  while (!trim(rest).empty()) {
    rest = rest.substr(rest.find_first_not_of(" \t"));
    if (rest.front() == ';') {
      rest.remove_prefix(1);
      continue;
    }
    const auto end = rest.find_first_of("=;");
    const auto name = trim(rest.substr(0, end));
    if (name.empty()) return std::nullopt;
    if (end == std::string_view::npos || rest[end] == ';') {
      result.parameters.emplace_back(name, "");
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
      continue;
    }
    rest.remove_prefix(end + 1);
    const auto start = rest.find_first_not_of(" \t");
    rest = start == std::string_view::npos ? std::string_view{} : rest.substr(start);
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      auto value = take_quoted(rest, quoting);
      if (!value) return std::nullopt;
      result.parameters.emplace_back(name, std::move(*value));
      semicolon = rest.find(';');
    } else {
      semicolon = rest.find(';');
      result.parameters.emplace_back(name, trim(rest.substr(0, semicolon)));
    }
    rest = semicolon == std::string_view::npos ? std::string_view{} : rest.substr(semicolon + 1);
  }
  return result;
}

std::optional<std::size_t> negotiate(std::optional<std::string_view> accept, std::span<const std::string_view> offered) {
  if (!accept || trim(*accept).empty()) return 0;
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    int close = 0, weight = 0;
    for_each_weighted(*accept, [&](const Weighted& range) {
      const int here = closeness(range.name, offered[i]);
      if (here > close) {
        close = here;
        weight = range.weight;
      }
    });
    if (weight > best_weight) {
      best = i;
      best_weight = weight;
    }
  }
  return best;
}

bool prefers_html(std::optional<std::string_view> accept) {
  static constexpr std::array<std::string_view, 2> kOffered{"application/json", "text/html"};
  return negotiate(accept, kOffered) == 1;
}

bool accepts_gzip(std::optional<std::string_view> accept_encoding) {
  int named = -1, any = 0;
  for_each_weighted(accept_encoding.value_or(""), [&](const Weighted& coding) {
    if (equals_ignoring_case(coding.name, "gzip") || equals_ignoring_case(coding.name, "x-gzip")) named = coding.weight;
    if (coding.name == "*") any = coding.weight;
  });
  return named >= 0 ? named > 0 : any > 0;
}

std::string link_value(std::span<const std::pair<std::string, std::string>> targets_and_relations) {
  std::string out;
  for (const auto& [target, relation] : targets_and_relations) {
    if (!out.empty()) out += ", ";
    out.append("<").append(target).append(">; rel=\"").append(relation).append("\"");
  }
  return out;
}

}  // namespace payam::http
