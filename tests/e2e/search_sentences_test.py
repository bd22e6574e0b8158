"""Search on sentences that people wrote, in Persian, Arabic, English, Turkish, German and Japanese: each is found by its words however they are
spelled, and a search finds what the oracle says: no more, no less."""

import random
import re
import time
import unicodedata

import pytest

from support import sentences
from support.client import Person
from support.search_oracle import ZWNJ, Oracle, pieces, script, without_spaces

LANGUAGES = ["fa", "ar", "en", "tr", "de", "ja"]
QUERIES = 600  # a language
MOST = 300     # matches of a query that are compared
DIGITS = ["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"]
PERSIAN_FORMS = {"ی": "يىی", "ک": "كک", "ه": "ةه", "ا": "أإآا", "و": "ؤو"}
FATHA, SHADDA, TATWEEL = "\u064e", "\u0651", "\u0640"


class Room:
    """Everybody's sentences, each a message."""

    def __init__(self, url):
        self.person = Person(url, "reader")
        self.id = self.person.create_room("Sentences")
        self.texts, self.keys = {}, {}  # message id → text, language → ids
        began = time.monotonic()
        with self.person.connect() as socket:
            for language, texts in sentences.load().items():
                self.keys[language] = []
                for text in texts:
                    sent = socket.ask("chat_message", {"room": self.id, "message": text})
                    assert sent["status"] == "ok", sent
                    self.texts[sent["id"]] = text
                    self.keys[language].append(sent["id"])
        print(f"{len(self.texts)} sentences sent in {time.monotonic() - began:.1f} s:", {language: len(keys) for language, keys in self.keys.items()})
        self.oracle = Oracle(self.texts)
        self.times = []

    def search(self, query):
        """The ids of what is found, newest first; every page of it."""
        found, before = [], None
        while True:
            parameters = {"q": query, "room_id": self.id, "limit": 100, **({"before": before} if before else {})}
            began = time.monotonic()
            answer = self.person.get("/chat/search", params=parameters)
            self.times.append(time.monotonic() - began)
            assert answer.status_code == 200, f"{query!r}: {answer.text}"
            page = answer.json()
            found += [hit["id"] for hit in page]
            for hit in page:
                assert hit["highlights"], query
                assert all(0 <= start < start + length <= len(hit["content"]) for start, length in hit["highlights"])
            if len(page) < 100 or len(found) > MOST:
                return found
            before = found[-1]


@pytest.fixture(scope="module")
def room(url):
    return Room(url)


def words_of(text):
    """What stands between spaces and signs, as written."""
    return [word for word in re.findall(r"[\w\u200c\u0300-\u036f\u064b-\u0655]+", text) if pieces(word)]


def respelled(word, chance):
    """Another spelling of the same word."""
    letters = []
    for letter in word:
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            letter = chance.choice(DIGITS)[digit]
        elif script(letter) == "ARABIC":
            letter = chance.choice(PERSIAN_FORMS.get(letter, letter))
            if letter.isalpha() and chance.random() < 0.15:
                letter += chance.choice([FATHA, SHADDA, TATWEEL])
        elif letter == ZWNJ:
            letter = chance.choice(["", " ", ZWNJ])
        letters.append(letter)
    word = "".join(letters)
    if any(script(letter) == "LATIN" for letter in word):
        word = chance.choice([str.upper, str.lower, str.title, str.swapcase, str])(word)
        word = chance.choice([str, lambda text: text.replace("i", "ı"), lambda text: text.replace("I", "İ"), lambda text: text.replace("ı", "i")])(word)
        word = chance.choice([str, lambda text: text.replace("ß", "ss"), lambda text: text.replace("ss", "ß"), lambda text: text.replace("ß", "ẞ")])(word)
        if chance.random() < 0.4:  # without its diacritics
            word = "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
    return unicodedata.normalize(chance.choice(["NFC", "NFD"]), word)


def question(text, chance):
    """Words of a sentence, spelled otherwise, in another order, the last one perhaps only begun; of a script without spaces a part."""
    words = words_of(text)
    if not words:
        return None
    chosen = chance.sample(words, min(len(words), chance.choice([1, 1, 2, 2, 3, 4])))
    asked = []
    for word in chosen:
        runs = re.findall(r"[぀-ヿ一-鿿々]+", unicodedata.normalize("NFKC", word))
        if runs:
            run = chance.choice(runs)
            size = min(len(run), chance.choice([1, 2, 2, 3, 4, 6]))
            start = chance.randrange(len(run) - size + 1)
            asked.append(run[start:start + size])
        elif not any(without_spaces(letter) for letter in word):
            asked.append(respelled(word, chance))
    if not asked:
        return None
    last = unicodedata.normalize("NFC", asked[-1])
    if chance.random() < 0.5 and len(last) > 3 and ZWNJ not in last and " " not in last:
        cut = chance.randrange(2, len(last))
        while cut < len(last) and unicodedata.combining(last[cut]):
            cut += 1
        asked[-1] = last[:cut]
    return " ".join(asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_found_by_its_words_and_nothing_else_is(room, language):
    chance = random.Random(f"payam {language}")
    began, compared, matches, first_time = time.monotonic(), 0, 0, len(room.times)
    while compared < QUERIES:
        key = chance.choice(room.keys[language])
        query = question(room.texts[key], chance)
        if query is None or len(query) > 200:
            continue
        expected = room.oracle.find(query)
        assert key in expected, f"the oracle does not find {room.texts[key]!r} by {query!r}"
        if len(expected) > MOST:
            continue
        found = room.search(query)
        assert len(found) == len(set(found)), query
        assert found == sorted(found, reverse=True), "newest first"
        missing, wrong = expected - set(found), set(found) - expected
        assert not missing, f"{query!r} does not find {[room.texts[one] for one in missing][:3]}"
        assert not wrong, f"{query!r} finds {[room.texts[one] for one in wrong][:3]}"
        compared, matches = compared + 1, matches + len(found)
    times = sorted(room.times[first_time:])
    print(f"{language}: {compared} queries, {matches} matches, {time.monotonic() - began:.1f} s; a query "
          f"{1000 * times[len(times) // 2]:.1f} ms (median), {1000 * times[len(times) * 99 // 100]:.1f} ms (99 of 100)")


def test_words_of_two_sentences_find_only_what_has_both(room):
    chance = random.Random("payam across")
    empty = 0
    keys = list(room.texts)
    for _ in range(QUERIES):
        one, two = (words_of(room.texts[key]) for key in chance.sample(keys, 2))
        if not one or not two:
            continue
        query = f"{chance.choice(one)} {chance.choice(two)}"
        expected = room.oracle.find(query)
        if len(expected) > MOST or len(query) > 200:
            continue
        assert set(room.search(query)) == expected, query
        empty += not expected
    assert empty > QUERIES / 10, "many are in none"


def test_persian_joined_spaced_and_with_zwnj_are_one(room):
    words = [(key, word) for key in room.keys["fa"] for word in words_of(room.texts[key]) if word.strip(ZWNJ).count(ZWNJ) == 1]
    assert len(words) > 100
    for key, word in random.Random("payam zwnj").sample(words, 100):
        spellings = [word.strip(ZWNJ).replace(ZWNJ, gap) for gap in (ZWNJ, " ", "")]
        found = [room.search(f"{spelling} {words_of(room.texts[key])[0]}") for spelling in spellings]
        assert all(key in one for one in found), f"{word!r} in {room.texts[key]!r}: {[key in one for one in found]}"


def test_turkish_letters_with_and_without_dots(room):
    for key in room.keys["tr"]:
        for word in words_of(room.texts[key]):
            if "ı" in word and "i" in word and len(word) > 6:
                for spelling in (word, word.replace("ı", "i"), word.replace("i", "ı"), word.upper(), word.replace("i", "İ").replace("ı", "I")):
                    assert key in room.search(spelling), f"{spelling!r} for {word!r}"
                return
    pytest.fail("no such word")


def test_german_sharp_s_and_umlauts(room):
    keys = {word: key for key in room.keys["de"] for word in words_of(room.texts[key])}
    with_sharp_s = [word for word in keys if "ß" in word]
    with_umlaut = [word for word in keys if re.search("[äöü]", word)]
    assert with_sharp_s and with_umlaut
    for word in with_sharp_s[:10] + with_umlaut[:20]:
        plain = "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
        for spelling in (word.upper(), word.replace("ß", "ss"), plain, plain.upper(), unicodedata.normalize("NFD", word)):
            assert keys[word] in room.search(spelling), f"{spelling!r} for {word!r}"
