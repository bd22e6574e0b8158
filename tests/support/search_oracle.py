"""What a search must find, told by Python's unicodedata without the server's help.

A text is folded (compatibility forms, case, diacritics of alphabets, letter forms of Persian and Arabic, digits) and falls into words and, of
scripts that set no spaces, runs. All words of a query must be in a message, in any order, the last as the beginning of a word; a run anywhere in
a run. Words of the Arabic script may be joined, parted by a space or by a ZWNJ: two neighbours of a message may be one word of the query, a
compound of more with ZWNJ as a whole, and up to three neighbours of the query one word of the message."""

import bisect
import collections
import functools
import unicodedata

ZWNJ = "\u200c"
LETTERS = str.maketrans({"ı": "i", "ø": "o", "đ": "d", "ł": "l", "ى": "ی", "ي": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ھ": "ه", "ہ": "ه", "ۃ": "ه", "ە": "ه", "ٱ": "ا",
                         "ـ": ""})
FREE_MARKS = ("LATIN", "GREEK", "ARABIC", "HEBREW")  # alphabets whose marks may be left out


def script(character):
    return unicodedata.name(character, "").split(" ")[0]


def without_spaces(character):
    return script(character) in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC") and unicodedata.category(character)[0] in "LMN"


@functools.cache
def fold(text):
    """The letters as they are compared; ZWNJ stays."""
    folded = []
    for part in text.split(ZWNJ):
        part = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", part).casefold())
        letters, base = [], ""
        for character in unicodedata.normalize("NFD", part):
            category = unicodedata.category(character)
            if category == "Cf":
                continue
            if category[0] != "M":
                base = character
            elif script(base) in FREE_MARKS or script(character) in FREE_MARKS:
                continue
            letters.append(str(unicodedata.decimal(character)) if category == "Nd" else character)
        folded.append(unicodedata.normalize("NFC", "".join(letters).translate(LETTERS)))
    return ZWNJ.join(folded)


# A word of the text or a run; `gap` is what stands before it: "zwnj", "space" or "other".
Piece = collections.namedtuple("Piece", "text is_run is_arabic gap")


@functools.cache
def pieces(text):
    found, current, gap = [], "", "other"

    def close():
        nonlocal current, gap
        if current:
            arabic = all(script(character) == "ARABIC" for character in current)
            found.append(Piece(current, without_spaces(current[0]), arabic, gap))
            current, gap = "", "none"

    for character in fold(text):
        if character == ZWNJ:
            if current and all(script(one) == "ARABIC" for one in current):
                close()
                gap = "zwnj"
        elif unicodedata.category(character)[0] in "LNM":
            if current and without_spaces(character) != without_spaces(current[0]):
                close()
            current += character
        else:
            close()
            gap = "space" if character.isspace() and gap != "other" else "other"
    close()
    return found


def joins(piece):
    return piece.is_arabic and piece.gap in ("space", "zwnj")


class Oracle:
    def __init__(self, sentences):
        """{id: text}"""
        self._words = collections.defaultdict(set)  # word → ids
        self._beginnings = []                       # (word, letters before its last part, id), sorted
        self._runs = collections.defaultdict(list)  # id → runs
        for key, text in sentences.items():
            parts = pieces(text)
            for index, part in enumerate(parts):
                if part.is_run:
                    self._runs[key].append(part.text)
                    continue
                self._add(key, parts[index:index + 1])
                if index > 0 and joins(part) and parts[index - 1].is_arabic:
                    self._add(key, parts[index - 1:index + 1])
                first = index
                while first > 0 and joins(parts[first]) and parts[first].gap == "zwnj":
                    first -= 1
                goes_on = index + 1 < len(parts) and joins(parts[index + 1]) and parts[index + 1].gap == "zwnj"
                if not goes_on and index - first >= 2:
                    self._add(key, parts[first:index + 1])
        self._beginnings.sort()

    def _add(self, key, parts):
        text = "".join(part.text for part in parts)
        self._words[text].add(key)
        self._beginnings.append((text, len(text) - len(parts[-1].text), key))

    def _with_beginning(self, text):
        found, index = set(), bisect.bisect_left(self._beginnings, (text,))
        while index < len(self._beginnings) and self._beginnings[index][0].startswith(text):
            _, first_parts, key = self._beginnings[index]
            if len(text) > first_parts:
                found.add(key)
            index += 1
        return found

    def find(self, query):
        """The ids of the sentences that match."""
        asked, result = pieces(query), None
        for index, part in enumerate(asked):
            if part.is_run:
                found = {key for key, runs in self._runs.items() if any(part.text in run for run in runs)}
            else:
                found = set()
                for first in range(max(0, index - 2), index + 1):
                    for end in range(index + 1, min(len(asked), first + 3) + 1):
                        group = asked[first:end]
                        if len(group) > 1 and not (group[0].is_arabic and all(joins(one) for one in group[1:])):
                            continue
                        text = "".join(one.text for one in group)
                        found |= self._with_beginning(text) if end == len(asked) else self._words.get(text, set())
            result = found if result is None else result & found
        return result or set()
