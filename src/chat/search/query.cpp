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
  std::u32string_view text;
  Span origin;
  std::size_t first_parts = 0;  // letters before the last part
};

// One word of several pieces; `text` holds its letters.
Word join(std::span<const Piece> pieces, std::u32string& text) {
  text.clear();
  std::size_t first_parts = 0;
  for (const Piece& piece : pieces) {
    first_parts = text.size();
    text += piece.text;
  }
  const Span first = pieces.front().origin();
  return {text, {first.start, pieces.back().origin().end() - first.start}, first_parts};
}

// Calls `take(const Word&)` with the words and emoji, each two neighbours that may be one, and each longer compound with ZWNJ
// as a whole.
template <class Take>
void each_word(std::span<const Piece> pieces, Take take) {
  std::u32string text;
  std::size_t compound = 0;  // where the one that the present piece belongs to begins
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool joined = i > 0 && joins(pieces[i]) && pieces[i - 1].arabic;
    if (!joined || pieces[i].gap != Gap::zwnj) compound = i;
    if (pieces[i].kind == Kind::run) continue;
    take(Word{pieces[i].text, pieces[i].origin(), 0});
    if (!joined) continue;
    take(join(pieces.subspan(i - 1, 2), text));
    const bool ends = i + 1 == pieces.size() || !joins(pieces[i + 1]) || pieces[i + 1].gap != Gap::zwnj;
    if (ends && i - compound >= 2) take(join(pieces.subspan(compound, i - compound + 1), text));
  }
}

// For each letter of `text` the length of the longest beginning of `text` that ends with it and is shorter (Knuth, Morris and
// Pratt): how much of a find is left when the next letter is another one. So a run is read once.
std::vector<std::uint32_t> fallbacks(std::u32string_view text) {
  std::vector<std::uint32_t> table(text.size());
  for (std::size_t i = 1, matched = 0; i < text.size(); ++i) {
    while (matched > 0 && text[i] != text[matched]) matched = table[matched - 1];
    if (text[i] == text[matched]) ++matched;
    table[i] = static_cast<std::uint32_t>(matched);
  }
  return table;
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

// What match() has found of a query's words in one message.
class Query::Hits {
 public:
  explicit Hits(std::size_t words) : has_(words) {}

  void add(const Wanted& wanted, Span where) {
    note(wanted);
    spans_.push_back(where);
  }
  // Every place, also one within another; those that overlap as one.
  void add_places(const Wanted& wanted, const Piece& run) {
    const std::size_t before = spans_.size();
    const std::u32string& text = wanted.text;
    std::size_t matched = 0;
    for (std::size_t i = 0; i < run.text.size(); ++i) {
      while (matched > 0 && (matched == text.size() || run.text[i] != text[matched])) {
        matched = wanted.falls_back[matched - 1];
      }
      if (run.text[i] == text[matched]) ++matched;
      if (matched < text.size()) continue;
      const Span first = run.origins[i + 1 - text.size()];
      const std::size_t end = run.origins[i].end();
      if (spans_.size() > before && first.start < spans_.back().end()) {
        spans_.back().length = end - spans_.back().start;
      } else {
        spans_.push_back({first.start, end - first.start});
      }
    }
    if (spans_.size() > before) note(wanted);
  }

  bool all() const { return missing_ == 0; }
  std::vector<Span> take() { return std::move(spans_); }

 private:
  void note(const Wanted& wanted) {
    if (has_[wanted.word]) return;
    has_[wanted.word] = true;
    --missing_;
  }

  std::vector<bool> has_;
  std::size_t missing_ = has_.size();
  std::vector<Span> spans_;
};

std::vector<Query::Form> Query::spellings(const std::vector<Piece>& pieces, std::size_t word) {
  constexpr std::size_t kMostJoined = 3;  // words of the query that may be one of the message
  const Piece& piece = pieces[word];
  if (piece.kind != Kind::word) return {{piece.text, false, piece.kind == Kind::run}};
  std::vector<Form> forms;
  for (std::size_t count = 1; count <= kMostJoined; ++count) {
    for (std::size_t first = word + 1 >= count ? word + 1 - count : 0; first <= word && first + count <= pieces.size();
         ++first) {
      const auto part = std::span(pieces).subspan(first, count);
      if (count > 1 && !(part.front().arabic && std::ranges::all_of(part.subspan(1), joins))) continue;
      std::u32string text;
      join(part, text);
      forms.push_back({std::move(text), first + count == pieces.size(), false});
    }
  }
  return forms;
}

Query::Query(std::string_view text) {
  const std::vector<Piece> pieces = fold(text);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto forms = spellings(pieces, i);
    if (std::ranges::find(words_, forms) != words_.end()) continue;
    for (const Form& form : forms) want(form, words_.size());
    words_.push_back(std::move(forms));
  }
  std::ranges::sort(whole_, {}, &Wanted::text);
}

void Query::want(const Form& form, std::size_t word) {
  auto& kind = form.within ? runs_ : form.prefix ? beginnings_ : whole_;
  kind.push_back({form.text, word});
  if (form.within) kind.back().falls_back = fallbacks(form.text);
}

std::vector<Query::Clause> Query::clauses() const {
  constexpr std::size_t kMostPairs = 16;  // of a run; the more there are, the less the next one tells
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
        for (std::size_t i = 0; i + 1 < form.text.size() && terms.size() < kMostPairs; ++i) {
          Term pair{term(std::u32string_view(form.text).substr(i, 2)), false};
          if (std::ranges::find(terms, pair) == terms.end()) terms.push_back(std::move(pair));
        }
      }
    }
  }
  return clauses;
}

std::optional<std::vector<Highlight>> Query::match(std::string_view content) const {
  if (empty()) return std::nullopt;
  const std::vector<Piece> pieces = fold(content);
  Hits hits(words_.size());
  each_word(pieces, [&](const Word& word) {
    const auto by_text = [](const Wanted& wanted) { return std::u32string_view(wanted.text); };
    for (const Wanted& same : std::ranges::equal_range(whole_, word.text, {}, by_text)) hits.add(same, word.origin);
    for (const Wanted& beginning : beginnings_) {
      if (beginning.text.size() > word.first_parts && word.text.starts_with(beginning.text)) hits.add(beginning, word.origin);
    }
  });
  for (const Piece& piece : pieces) {
    if (piece.kind != Kind::run) continue;
    for (const Wanted& run : runs_) hits.add_places(run, piece);
  }
  if (!hits.all()) return std::nullopt;
  return merge(hits.take());
}

std::vector<std::string> index_terms(std::string_view content) {
  const std::vector<Piece> pieces = fold(content);
  std::vector<std::string> terms;
  each_word(pieces, [&](const Word& word) { terms.push_back(term(word.text)); });
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
