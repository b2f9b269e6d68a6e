"""The marks in an answer that name its sources: [1], [1, 2], [1-3], [Passage 2], 【1】.

A number in round brackets is none: years, counts and the items of lists look the same.
"""

import re
from collections.abc import Container

_NUMBERS = r"\d+(?:\s*[-\u2013]\s*\d+)?"
_WORD = r"(?:passages?|sources?|quelle|fuente)?\s*[#]?"
MARK = rf"[\[【]\s*{_WORD}{_NUMBERS}(?:\s*(?:[,;&]|and)\s*{_WORD}{_NUMBERS})*\s*[\]】]"
"""A pattern without groups, for texts in which case does not count."""

_MARK = re.compile(rf"[^\S\n]*({MARK})", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)(?:\s*[-\u2013]\s*(\d+))?")
_LONGEST_RANGE = 20


def numbers(text: str) -> list[int]:
    """The numbers that the marks of a text name, each once, in their order."""
    return list(dict.fromkeys(number for mark in _MARK.findall(text) for number in _named(mark)))


def without(text: str) -> str:
    """A text without its marks."""
    return _MARK.sub("", text)


def existing(text: str, known: Container[int]) -> str:
    """A text whose marks name known numbers only; a mark that names no other stays as it was written."""

    def kept(match: re.Match[str]) -> str:
        named = _named(match[1])
        left = [number for number in named if number in known]
        if not left:
            return ""
        return match[0] if left == named else f" [{', '.join(map(str, left))}]"

    return _MARK.sub(kept, text)


def marked(sentence: str, number: int) -> str:
    """A sentence with the mark of one source: behind its full stop, in a row of a table in the last cell."""
    if len(sentence) > 1 and sentence.endswith("|"):
        return f"{sentence[:-1].rstrip()} [{number}] |"
    return f"{sentence} [{number}]"


def _named(mark: str) -> list[int]:
    named: list[int] = []
    for first, last in _RANGE.findall(mark):
        end = int(last or first)
        named += range(int(first), min(end, int(first) + _LONGEST_RANGE) + 1) if end >= int(first) else [int(first)]
    return named
