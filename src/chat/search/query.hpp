// What is asked, what is indexed, and whether the one is in the other.
//
// All words must be in a message, in any order, the last one as the beginning of a word. Words of the Arabic script may be
// written together, apart or with a ZWNJ: neighbours are indexed also as one word, and neighbours of a query may be one word of
// the message. An index holds words whole, of scripts without spaces every two neighbouring letters; it may find more than
// matches, never less: match() decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/model.hpp"
#include "chat/search/fold.hpp"

namespace payam::chat::search {

// A term an index may hold: UTF-8 of letters, digits, marks and emoji, at most kMaxTerm code points.
struct Term {
  std::string text;
  bool prefix = false;  // or any term that begins so

  bool operator==(const Term&) const = default;
};
inline constexpr std::size_t kMaxTerm = 40;

// Words of a query that differ; a longer one is refused before it is run.
inline constexpr std::size_t kMostWords = 40;

class Query {
 public:
  // One of these is enough: each is a list of terms that a message has all of.
  using Clause = std::vector<std::vector<Term>>;

  explicit Query(std::string_view text);

  bool empty() const { return words_.empty(); }  // nothing but spaces and signs: matches nothing
  std::size_t words() const { return words_.size(); }
  // Every message that matches satisfies every clause.
  std::vector<Clause> clauses() const;
  // Where the words are in `content`, ascending and apart; nullopt unless it has all. Each letter of the content is looked at
  // a bounded number of times, whatever is asked.
  std::optional<std::vector<Highlight>> match(std::string_view content) const;

 private:
  struct Form {
    std::u32string text;
    bool prefix = false;
    bool within = false;  // a run: anywhere in another one

    bool operator==(const Form&) const = default;
  };
  // A form as match() looks for it.
  struct Wanted {
    std::u32string text;
    std::size_t word = 0;                     // which of words_ it spells
    std::vector<std::uint32_t> falls_back{};  // of a run: see fallbacks()
  };
  class Hits;

  static std::vector<Form> spellings(const std::vector<Piece>& pieces, std::size_t word);
  void want(const Form& form, std::size_t word);

  std::vector<std::vector<Form>> words_;  // each in its spellings
  std::vector<Wanted> whole_;             // sorted by text
  std::vector<Wanted> beginnings_;
  std::vector<Wanted> runs_;
};

// The terms of a message, each once, sorted.
std::vector<std::string> index_terms(std::string_view content);

}  // namespace payam::chat::search
