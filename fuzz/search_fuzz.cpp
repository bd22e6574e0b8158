// Searching: a query and, after a NUL, a message. Folding ends, highlights lie within the message, ascending and apart, and
// whatever matches is found by the index's terms.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.hpp"
#include "chat/search/query.hpp"
#include "fuzz/require.hpp"

using namespace payam::chat::search;

namespace {

bool has(const std::vector<std::string>& terms, const Term& wanted) {
  return std::ranges::any_of(
      terms, [&](const std::string& term) { return wanted.prefix ? term.starts_with(wanted.text) : term == wanted.text; });
}

bool satisfies(const std::vector<std::string>& terms, const Query::Clause& clause) {
  return std::ranges::any_of(clause, [&](const std::vector<Term>& all) {
    return std::ranges::all_of(all, [&](const Term& term) { return has(terms, term); });
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto cut = std::min(bytes.find('\0'), size);
  const std::string_view asked = bytes.substr(0, std::min<std::size_t>(cut, 200));
  const std::string_view content = bytes.substr(std::min(cut + 1, size));
  const Query query(asked);
  const auto terms = index_terms(content);
  REQUIRE(std::ranges::is_sorted(terms) && std::ranges::adjacent_find(terms) == terms.end());
  const auto found = query.match(content);
  if (!found) return 0;
  REQUIRE(!query.empty() && !found->empty());
  std::size_t end = 0;
  for (const auto& highlight : *found) {
    REQUIRE(highlight.length > 0 && highlight.start >= end);
    end = highlight.start + highlight.length;
  }
  REQUIRE(end <= (payam::is_valid_utf8(content) ? payam::utf8_length(content) : content.size()));
  for (const auto& clause : query.clauses()) REQUIRE(satisfies(terms, clause));
  return 0;
}
