#include "chat/search/query.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <span>

namespace payam::chat::search {
namespace {

using Gap = Piece::Gap;
using Kind = Piece::Kind;

std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  for (const char32_t c : text) {
    char buffer[U8_MAX_LENGTH];
    std::size_t length = 0;
    U8_APPEND_UNSAFE(buffer, length, c);
    bytes.append(buffer, length);
  }
  return bytes;
}

std::string term(std::u32string_view text) { return to_utf8(text.substr(0, kMaxTerm)); }

// Whether the piece may be one word with the one before it.
bool joins(const Piece& piece) { return piece.arabic && (piece.gap == Gap::space || piece.gap == Gap::zwnj); }

// A word as a message holds it, of one part or several. The beginning of one is found in it only if it reaches into the last
// part: else it is found in the parts alone.
struct Word {
  std::u32string text;
  Span origin;
  std::size_t first_parts = 0;  // letters before the last part
};

Word join(std::span<const Piece> pieces) {
  Word word;
  for (const Piece& piece : pieces) {
    word.first_parts = word.text.size();
    word.text += piece.text;
  }
  const Span first = pieces.front().origin();
  word.origin = {first.start, pieces.back().origin().end() - first.start};
  return word;
}

// Words and emoji, each two neighbours that may be one, and each longer compound with ZWNJ as a whole.
std::vector<Word> words_of(std::span<const Piece> pieces) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind == Kind::run) continue;
    words.push_back(join(pieces.subspan(i, 1)));
    if (i == 0 || !joins(pieces[i]) || !pieces[i - 1].arabic) continue;
    words.push_back(join(pieces.subspan(i - 1, 2)));
    const bool ends = i + 1 == pieces.size() || !joins(pieces[i + 1]) || pieces[i + 1].gap != Gap::zwnj;
    std::size_t first = i;
    while (first > 0 && pieces[first].gap == Gap::zwnj && joins(pieces[first])) --first;
    if (ends && i - first >= 2) words.push_back(join(pieces.subspan(first, i - first + 1)));
  }
  return words;
}

bool matches(const Word& word, std::u32string_view text, bool prefix) {
  return prefix ? text.size() > word.first_parts && word.text.starts_with(text) : word.text == text;
}

void add_occurrences(const Piece& run, std::u32string_view text, std::vector<Span>& found) {
  for (std::size_t at = run.text.find(text); at != std::u32string::npos; at = run.text.find(text, at + 1)) {
    const Span first = run.origins[at];
    found.push_back({first.start, run.origins[at + text.size() - 1].end() - first.start});
  }
}

std::vector<Highlight> merge(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::start);
  std::vector<Highlight> merged;
  for (const Span& span : spans) {
    if (!merged.empty() && span.start < merged.back().start + merged.back().length) {
      merged.back().length = std::max(merged.back().length, span.end() - merged.back().start);
    } else {
      merged.push_back({span.start, span.length});
    }
  }
  return merged;
}

}  // namespace

Query::Query(std::string_view text) {
  constexpr std::size_t kMostJoined = 3;  // words of the query that may be one of the message
  const std::vector<Piece> pieces = fold(text);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto& forms = words_.emplace_back();
    if (pieces[i].kind != Kind::word) {
      forms.push_back({pieces[i].text, false, pieces[i].kind == Kind::run});
      continue;
    }
    for (std::size_t count = 1; count <= kMostJoined; ++count) {
      for (std::size_t first = i + 1 >= count ? i + 1 - count : 0; first <= i && first + count <= pieces.size(); ++first) {
        const auto part = std::span(pieces).subspan(first, count);
        if (count > 1 && !(part.front().arabic && std::ranges::all_of(part.subspan(1), joins))) continue;
        forms.push_back({join(part).text, first + count == pieces.size(), false});
      }
    }
  }
}

std::vector<Query::Clause> Query::clauses() const {
  std::vector<Clause> clauses;
  for (const auto& forms : words_) {
    Clause& clause = clauses.emplace_back();
    for (const Form& form : forms) {
      auto& terms = clause.emplace_back();
      if (!form.within) {
        terms.push_back({term(form.text), form.prefix});
      } else if (form.text.size() == 1) {
        terms.push_back({term(form.text), true});
      } else {
        for (std::size_t i = 0; i + 1 < form.text.size(); ++i) terms.push_back({term(form.text.substr(i, 2)), false});
      }
    }
  }
  return clauses;
}

std::optional<std::vector<Highlight>> Query::match(std::string_view content) const {
  if (empty()) return std::nullopt;
  const std::vector<Piece> pieces = fold(content);
  const std::vector<Word> words = words_of(pieces);
  std::vector<Span> found;
  for (const auto& forms : words_) {
    const std::size_t before = found.size();
    for (const Form& form : forms) {
      if (form.within) {
        for (const Piece& piece : pieces) {
          if (piece.kind == Kind::run) add_occurrences(piece, form.text, found);
        }
      } else {
        for (const Word& word : words) {
          if (matches(word, form.text, form.prefix)) found.push_back(word.origin);
        }
      }
    }
    if (found.size() == before) return std::nullopt;
  }
  return merge(std::move(found));
}

std::vector<std::string> index_terms(std::string_view content) {
  const std::vector<Piece> pieces = fold(content);
  std::vector<std::string> terms;
  for (const Word& word : words_of(pieces)) terms.push_back(term(word.text));
  for (const Piece& piece : pieces) {
    if (piece.kind != Kind::run) continue;
    // The last letter has no neighbour but must be found too.
    for (std::size_t i = 0; i < piece.text.size(); ++i) terms.push_back(to_utf8(std::u32string_view(piece.text).substr(i, 2)));
  }
  std::ranges::sort(terms);
  terms.erase(std::ranges::unique(terms).begin(), terms.end());
  return terms;
}

}  // namespace payam::chat::search
