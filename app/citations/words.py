"""The words of sentences and passages, as citations compare them, and where they stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, normalize

from ingest.terms import terms

Key = int | str
"""What words have in common that mean the same here: their stem, or the word itself in writing without spaces."""

_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Khmer, kana, and Chinese characters."""
_WORD = re.compile(
    rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:['\u2019][^\W_{_UNSPACED}]+|[-\u2010\u00ad][^\S\n]*\n\s*[a-zà-öø-ÿ]+)*"
)
_HYPHENS = re.compile(r"[-\u2010\u00ad]\s*|['\u2019]s\b")
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-\u2010\u00ad][^\W\d_]+)+")
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text; stop words and numbers are none."""

    key: Key
    folded: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """The words of a text in their order. Writing without spaces counts by pairs of characters."""
    for match in _WORD.finditer(text):
        if re.match(f"[{_UNSPACED}]", match[0]):
            yield from _pairs(match[0], match.start())
            continue
        word = folded(_HYPHENS.sub("", match[0]))
        key = None if word.isdigit() else _key(word)
        if key is not None:
            yield Word(key, word, *match.span())


def compounds(text: str) -> Iterator[tuple[Key, frozenset[Key]]]:
    """Words with hyphens: each as one word, and its parts."""
    for match in _COMPOUND.finditer(text):
        whole = _key(folded(_HYPHENS.sub("", match[0])))
        if whole is not None:
            yield whole, frozenset(word.key for word in words(match[0]))


def is_stop_word(folded: str) -> bool:
    """Whether a word says nothing by itself."""
    return _key(folded) is None


def folded(word: str) -> str:
    """A word without capitals, accents and other ways to write the same letter."""
    letters = normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if category(letter) not in ("Mn", "Cf"))


def _pairs(run: str, start: int) -> Iterator[Word]:
    for at in range(max(len(run) - 1, 1)):
        pair = run[at : at + _PAIR]
        yield Word(pair, pair, start + at, start + at + len(pair))


@lru_cache(1 << 15)
def _key(word: str) -> Key | None:
    """The stem; None for a stop word."""
    return next(iter(terms(word)), None)
