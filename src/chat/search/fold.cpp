#include "chat/search/fold.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace payam::chat::search {
namespace {

constexpr UChar32 kZwnj = 0x200c;
constexpr UChar32 kZwj = 0x200d;
constexpr UChar32 kTatweel = 0x0640;
constexpr std::size_t kMaxSegment = 32;  // code points folded together; more marks on one letter are nobody's spelling

struct Normalizers {
  const icu::Normalizer2* casefold;  // NFKC_Casefold: also drops what is ignorable
  const icu::Normalizer2* decompose;
  const icu::Normalizer2* compose;

  static const Normalizers& get() {
    static const Normalizers all = [] {
      UErrorCode status = U_ZERO_ERROR;
      const Normalizers found{icu::Normalizer2::getNFKCCasefoldInstance(status), icu::Normalizer2::getNFDInstance(status),
                              icu::Normalizer2::getNFCInstance(status)};
      if (U_FAILURE(status)) throw std::runtime_error("ICU has no normalization data");
      return found;
    }();
    return all;
  }
};

UScriptCode script_of(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  return U_SUCCESS(status) ? script : USCRIPT_UNKNOWN;
}

bool sets_no_spaces(UChar32 c) {
  switch (script_of(c)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
    case USCRIPT_TIBETAN: return true;
    default: return c == 0x30fc;  // the mark of a long vowel, common to both kana
  }
}

// Whether a mark on a letter of this script may be left out in writing. `base` is unknown for a mark that normalization never
// joins with a letter: then it is of one script itself.
bool may_be_left_out(UChar32 mark, UScriptCode base) {
  switch (base == USCRIPT_UNKNOWN ? script_of(mark) : base) {
    case USCRIPT_LATIN:
    case USCRIPT_GREEK:
    case USCRIPT_ARABIC:
    case USCRIPT_HEBREW:
    case USCRIPT_COMMON:
    case USCRIPT_INHERITED: return true;
    case USCRIPT_CYRILLIC: return mark == 0x0300 || mark == 0x0301 || mark == 0x0308;  // stress, ё; but й is a letter
    default: return false;
  }
}

// Letters that are the same to who searches although Unicode does not decompose them.
UChar32 plain_letter(UChar32 c) {
  switch (c) {
    case 0x0131: return 'i';     // ı
    case 0x00f8: return 'o';     // ø
    case 0x0111: return 'd';     // đ
    case 0x0142: return 'l';     // ł
    case 0x0649:                 // ى
    case 0x064a: return 0x06cc;  // ي → ی
    case 0x0643:                 // ك
    case 0x06aa: return 0x06a9;  // ڪ → ک
    case 0x0629:                 // ة
    case 0x06be:                 // ھ
    case 0x06c1:                 // ہ
    case 0x06c3:                 // ۃ
    case 0x06d5: return 0x0647;  // ە → ه
    case 0x0671: return 0x0627;  // ٱ → ا
    default: break;
  }
  const int digit = u_charType(c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue(c) : -1;
  return digit >= 0 ? '0' + digit : c;
}

bool is_mark(UChar32 c) { return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0; }
bool is_of_a_word(UChar32 c) { return (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) != 0; }
bool is_flag_letter(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR); }
bool is_pictograph(UChar32 c) { return c >= 0xa9 && u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC); }
bool is_emoji_extension(UChar32 c) {
  return c == 0xfe0f || c == 0xfe0e || u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) || (c >= 0xe0020 && c <= 0xe007f);
}

icu::UnicodeString fold_segment(const icu::UnicodeString& segment) {
  const Normalizers& normalizers = Normalizers::get();
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString decomposed =
      normalizers.decompose->normalize(normalizers.casefold->normalize(segment, status), status);
  icu::UnicodeString plain;
  UScriptCode base = USCRIPT_UNKNOWN;
  for (std::int32_t at = 0; at < decomposed.length(); at = decomposed.moveIndex32(at, 1)) {
    const UChar32 c = decomposed.char32At(at);
    if (c == kTatweel) continue;
    if (!is_mark(c)) {
      base = script_of(c);
    } else if (may_be_left_out(c, base)) {
      continue;
    }
    plain.append(plain_letter(c));
  }
  icu::UnicodeString folded = normalizers.compose->normalize(plain, status);
  return U_SUCCESS(status) ? folded : icu::UnicodeString();
}

// What a code point folds to by itself: the same few of a script again and again.
const icu::UnicodeString& fold_alone(UChar32 c) {
  struct Known {
    UChar32 point = -1;
    icu::UnicodeString folded;
  };
  thread_local std::array<Known, 1024> cache;
  Known& known = cache[static_cast<std::size_t>(c) % cache.size()];
  if (known.point != c) known = {c, fold_segment(icu::UnicodeString(c))};
  return known.folded;
}

std::vector<UChar32> code_points(std::string_view text) {
  std::vector<UChar32> points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    UChar32 c;
    U8_NEXT(text.data(), at, text.size(), c);
    points.push_back(c >= 0 ? c : 0xfffd);
  }
  return points;
}

class Folder {
 public:
  explicit Folder(std::string_view text) : points_(code_points(text)) {}

  std::vector<Piece> run() {
    for (std::size_t at = 0; at < points_.size();) at = step(at);
    close();
    return std::move(pieces_);
  }

 private:
  // Takes what begins at `at`; returns where it ends.
  std::size_t step(std::size_t at) {
    const UChar32 c = points_[at];
    if (c < 0x80) {
      // No mark follows in nearly all texts, and then an ASCII character stands for itself.
      if (at + 1 == points_.size() || points_[at + 1] < 0x80) {
        add(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c, {at, 1});
        return at + 1;
      }
    } else if (c == kZwnj) {
      if (open_ && piece_.arabic) {
        close();
        gap_ = Piece::Gap::zwnj;
      }
      return at + 1;
    } else if (is_pictograph(c) || is_flag_letter(c)) {
      return add_emoji(at);
    }
    const std::size_t end = segment_end(at);
    if (end == at + 1) {
      add_folded(fold_alone(c), {at, 1});
    } else {
      icu::UnicodeString segment;
      for (std::size_t i = at; i < end; ++i) segment.append(points_[i]);
      add_folded(fold_segment(segment), {at, end - at});
    }
    return end;
  }

  void add_folded(const icu::UnicodeString& folded, Span origin) {
    for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) add(folded.char32At(i), origin);
  }

  // What normalization may join with the character at `at` goes through it together.
  std::size_t segment_end(std::size_t at) const {
    std::size_t end = at + 1;
    while (end < points_.size() && end - at < kMaxSegment && points_[end] != kZwnj && !is_pictograph(points_[end]) &&
           !Normalizers::get().casefold->hasBoundaryBefore(points_[end])) {
      ++end;
    }
    return end;
  }

  std::size_t add_emoji(std::size_t at) {
    close();
    Piece emoji;
    emoji.kind = Piece::Kind::emoji;
    emoji.gap = std::exchange(gap_, Piece::Gap::none);
    std::size_t end = at + 1;
    emoji.text.push_back(static_cast<char32_t>(points_[at]));
    if (is_flag_letter(points_[at])) {
      if (end < points_.size() && is_flag_letter(points_[end])) emoji.text.push_back(static_cast<char32_t>(points_[end++]));
    } else {
      for (;; ++end) {
        if (end < points_.size() && is_emoji_extension(points_[end])) continue;
        if (end + 1 >= points_.size() || points_[end] != kZwj || !is_pictograph(points_[end + 1])) break;
        emoji.text.push_back(static_cast<char32_t>(points_[++end]));
      }
    }
    emoji.origins.assign(emoji.text.size(), {at, end - at});
    pieces_.push_back(std::move(emoji));
    return end;
  }

  void add(UChar32 c, Span origin) {
    if (!is_of_a_word(c)) {
      close();
      if (!u_isUWhiteSpace(c)) {
        gap_ = Piece::Gap::other;
      } else if (gap_ != Piece::Gap::other) {
        gap_ = Piece::Gap::space;
      }
      return;
    }
    if (is_mark(c) && !open_) return;  // on nothing
    const Piece::Kind kind = is_mark(c) ? piece_.kind : sets_no_spaces(c) ? Piece::Kind::run : Piece::Kind::word;
    if (open_ && piece_.kind != kind) close();
    if (!open_) {
      open_ = true;
      piece_ = Piece{kind, std::exchange(gap_, Piece::Gap::none), true, {}, {}};
    }
    piece_.arabic = piece_.arabic && (is_mark(c) || script_of(c) == USCRIPT_ARABIC);
    piece_.text.push_back(static_cast<char32_t>(c));
    piece_.origins.push_back(origin);
  }

  void close() {
    if (!std::exchange(open_, false)) return;
    pieces_.push_back(std::move(piece_));
    gap_ = Piece::Gap::none;
  }

  const std::vector<UChar32> points_;
  std::vector<Piece> pieces_;
  Piece piece_;  // while open_
  bool open_ = false;
  Piece::Gap gap_ = Piece::Gap::other;  // since the last piece
};

}  // namespace

std::vector<Piece> fold(std::string_view text) { return Folder(text).run(); }

}  // namespace payam::chat::search
