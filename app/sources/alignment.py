"""Words that were read from a page -> the characters of that page as PDFium counts them. Pure.

What was read differs from what PDFium shows: cut words were made whole, ligatures resolved, line ends made plain.
So both sides are compared without what can differ: white space, hyphens, bullets, upper case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import category, normalize

from rapidfuzz.fuzz import partial_ratio_alignment

_CONTEXT = 80
"""Letters before the words that tell one place from another."""
_ALIKE = 80.0
"""Percent of letters that have to agree where the words do not stand on the page as they were read."""
_DROPPED = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn", "Pd"}
"""Kinds of characters that are not compared: spaces, controls, private ones, dashes."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words on a page, and the words that stand before them there."""

    words: str
    before: str = ""


def folded(text: str) -> str:
    """A text without what reading changes."""
    return "".join(map(_folded, text))


def locate(quoted: Quoted, characters: Sequence[str]) -> list[int]:
    """The positions of the characters that the words are made of; none where they do not stand on the page."""
    page, places = _page(characters)
    words = folded(quoted.words)
    if not words or not page:
        return []
    start, end = _span(words, folded(quoted.before)[-_CONTEXT:], page)
    return list(dict.fromkeys(places[start:end]))


def _span(words: str, before: str, page: str) -> tuple[int, int]:
    for context in (before, before[-_CONTEXT // 4 :], ""):
        start = page.find(context + words)
        if start >= 0:
            return start + len(context), start + len(context) + len(words)
    found = partial_ratio_alignment(words, page, score_cutoff=_ALIKE) if len(words) <= len(page) else None
    return (found.dest_start, found.dest_end) if found else (0, 0)


def _page(characters: Sequence[str]) -> tuple[str, list[int]]:
    """The letters of a page, and for each of them which character it comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(characters):
        for letter in _folded(character):
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


def _folded(character: str) -> str:
    kept = (each for each in normalize("NFKC", character).lower() if each != "•" and category(each) not in _DROPPED)
    return "".join(kept)
