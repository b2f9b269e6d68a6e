"""What a document hides from the people who read it, and a model would see.

Characters without a shape are taken out of the text: they split words, turn them round, or spell messages in no ink.
Words that cannot be seen (white, tiny, off the page, switched off, in comments) are told, so that a person can look.
Most of them stay, since some layouts hide what they show later; what a web page switches off, its converter leaves out.
"""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import replace

from ingest.documents import PAGE_BREAK
from ingest.readers.extracted import Extracted

_ZERO_WIDTH = "\u200b\u2060-\u2064\ufeff\u180e"
_DIRECTION = "\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_SHAPELESS = re.compile(rf"[{_ZERO_WIDTH}{_DIRECTION}{_TAGS}]|(?<=[A-Za-z])[\u200c\u200d](?=[A-Za-z])")
"""Joiners are letters' business elsewhere: Persian, Indian scripts and emoji need them."""
_FLAG = re.compile(rf"(?<=\U0001f3f4)[{_TAGS}]+")
"""The flags of England, Scotland and Wales are spelled in tags."""
_OVERRIDES = frozenset("\u202d\u202e")
_FEW = 8
"""Zero-width characters that word processors leave behind; as many or more are told."""
LEAST_WORDS = 3
"""Hidden words that are told: fewer are leftovers of layout."""


def told(words: int, how: str) -> tuple[str, ...]:
    """The warning about hidden words, unless they are too few."""
    return (f"{words:,} words cannot be seen: {how}.",) if words >= LEAST_WORDS else ()


def without_shapeless(extracted: Extracted) -> Extracted:
    """The same without characters that have no shape; headings keep their places, and what was found is told."""
    text = PAGE_BREAK.join(page.text for page in extracted.pages)
    kept = {place for flag in _FLAG.finditer(text) for place in range(*flag.span())}
    places = [match.start() for match in _SHAPELESS.finditer(text) if match.start() not in kept]
    if not places:
        return extracted
    found = Counter(text[place] for place in places)
    headings = tuple(
        replace(
            heading, title=_SHAPELESS.sub("", heading.title), start=heading.start - bisect_left(places, heading.start)
        )
        for heading in extracted.headings
    )
    pages = tuple(replace(page, text=_cleaned(page.text)) for page in extracted.pages)
    title = _SHAPELESS.sub("", extracted.title)
    return replace(
        extracted, title=title, pages=pages, headings=headings, warnings=(*extracted.warnings, *_shapeless_told(found))
    )


def _cleaned(text: str) -> str:
    flags = [flag.span() for flag in _FLAG.finditer(text)]
    if not flags:
        return _SHAPELESS.sub("", text)
    inside = {place for start, end in flags for place in range(start, end)}
    return _SHAPELESS.sub(lambda match: match[0] if match.start() in inside else "", text)


def _shapeless_told(found: Counter[str]) -> tuple[str, ...]:
    tags = sum(count for character, count in found.items() if character >= "\U000e0000")
    overrides = sum(found[character] for character in _OVERRIDES)
    widthless = sum(found.values()) - tags - overrides
    return (
        *([f"{tags:,} invisible characters that spell a text were left out."] if tags else []),
        *([f"{overrides:,} characters that turn the writing round were left out."] if overrides else []),
        *([f"{widthless:,} characters without a width were left out."] if widthless >= _FEW else []),
    )
