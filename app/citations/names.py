"""Names: the capitalised words of a sentence, which its source must hold, too."""

import re
from collections.abc import Collection, Iterator

from app.citations.numbers import WRITTEN
from app.citations.words import folded, is_stop_word

_NAME = re.compile(r"(?<![\w'\u2019])[A-ZÀ-ÖØ-ÞΑ-ΩА-Я][\w'\u2019]+")
_STARTS = re.compile(r"(?:^|[.!?:;|•\n]|\d[.)])[\s\"“„«(\[*_-]*$")
"""What stands before a word that is capitalised because something begins."""
_DAYS = frozenset(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
_LEAST = 3
_LONGEST_ENDING = 3
"""Characters by which a name may be longer or shorter than in its source: Minister, Ministers, Ministerium."""


def names(claim: str) -> Iterator[str]:
    """The names of a sentence, folded; its first word is one only if a second follows at once."""
    for match in _NAME.finditer(claim):
        if not _STARTS.search(claim[: match.start()]) or _NAME.match(claim, match.end() + 1):
            name = re.sub(r"['\u2019]s?$", "", match[0])
            if (len(name) >= _LEAST or name.isupper()) and not is_stop_word(folded(name)):
                yield folded(name)


def stands_in(name: str, words: Collection[str], numbers: Collection[str]) -> bool:
    """Whether a source with these words and numbers holds a name; a month may stand there as its number."""
    return (
        name in words
        or name in _DAYS
        or WRITTEN.get(name) in numbers
        or any(_inflected(*sorted((name, word), key=len)) for word in words)
    )


def _inflected(short: str, long: str) -> bool:
    return len(short) > _LEAST and long.startswith(short) and len(long) - len(short) <= _LONGEST_ENDING
