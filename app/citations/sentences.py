"""Where the sentences of answers and documents begin and end."""

import re
from collections.abc import Iterator

from app.citations.marks import MARK
from ingest.documents import Span

_CLOSING = r"[\"'\u201d\u2019\u00bb\u203a)\]*_\u300d\u300f\uff09]*"
"""Quotes, brackets and emphasis, East Asian ones among them."""
_STOP = rf"""
    (?P<stop> [.!?…]+ {_CLOSING} (?:\s*{MARK})* (?=\s|$)
    | [\u3002\uff01\uff1f\u061f\u06d4\u0964]+ {_CLOSING} (?:[^\S\n]*{MARK})* )
"""
_ANSWER = re.compile(rf"{_STOP} | \n", re.VERBOSE | re.IGNORECASE)
"""Every line of an answer is one sentence at least."""
_DOCUMENT = re.compile(rf"{_STOP} | \n[^\S\n]*\n | \n(?=[^\S\n]*(?:[-*|\#>•▪]|\d+[.)]\s))", re.VERBOSE | re.IGNORECASE)
"""Lines of a document may be wrapped; a blank line, an item of a list or a row of a table ends a sentence."""
_ABBREVIATION = re.compile(
    r"""(?:^|[\s("'\[])(?:
        (?-i:[A-Z]) | (?:\w\.)+\w | mr|mrs|ms|dr|prof|st|rev|gen|col|sen|rep|gov|capt|sgt|jr|sr
        | vs|cf|ca|approx|fig|figs|eq|eqs|sec|ch|art|vol|ed|eds|pp|p|al|dept|est|incl|max|min
        | bzw|nr|abs|vgl|evtl|sog|inkl|av|env|núm|pág|sra|dra|sr
    )\.$""",
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE_NUMBERS = re.compile(r"\b(?:no|nos|art|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|tel)\.$", re.IGNORECASE)
_ITEM = re.compile(r"(?:^|\n)\s*(?:\d{1,3}|[a-z])\.$", re.IGNORECASE)
_LONGEST_ABBREVIATION = 16


def of_answer(text: str) -> Iterator[Span]:
    """The sentences of an answer, each with the marks behind its full stop."""
    return _spans(text, _ANSWER)


def of_document(text: str) -> Iterator[Span]:
    """The sentences of a document, and its headings, items and rows."""
    return _spans(text, _DOCUMENT)


def _spans(text: str, ends: re.Pattern[str]) -> Iterator[Span]:
    start = 0
    for match in ends.finditer(text):
        if match["stop"] and _goes_on(text, start, match):
            continue
        yield from _stripped(text, start, match.end())
        start = match.end()
    yield from _stripped(text, start, len(text))


def _goes_on(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether a full stop ends an abbreviation, an initial or the number of an item, not a sentence."""
    if text[match.start()] != "." or match.end() == len(text):
        return False
    before = text[max(start, match.start() - _LONGEST_ABBREVIATION) : match.start() + 1]
    after = text[match.end() :].lstrip()[:1]
    if after.islower():
        return True
    if _ITEM.search(before):
        return True
    return bool(_ABBREVIATION.search(before)) or (after.isdigit() and bool(_BEFORE_NUMBERS.search(before)))


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    if part.strip():
        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
