"""The model's [3] -> a checked span in a document. Pure: nothing here asks a model.

A sentence is supported by the part of a passage that shares most of its terms; the citation is verified if
enough of them are shared and every number and name of the sentence occurs in the passage.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.answers import Citation
from ingest.documents import Passage, Span
from ingest.terms import terms

MIN_SUPPORT = 0.5
"""Share of a sentence's terms that its quote must hold."""

_MARK = re.compile(r"\s*\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_SENTENCE = re.compile(r"\S[^\n]*?(?:[.!?:](?:\s*\[[\d,\s]+\])*(?=\s|$)|(?=\n|$))")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=\w\s)[A-Z][A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer after its citations were checked."""

    text: str
    """As it should be shown: marks of passages that do not exist are gone, missing marks are added."""
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Support:
    share: float
    """Of the sentence's terms, in [0, 1]."""
    span: Span
    """Within the passage's text."""
    verified: bool


def check(answer: str, passages: Mapping[int, Passage]) -> Checked:
    """Resolves every [n] of `answer` against the passages that bear these numbers."""
    text: list[str] = []
    citations: list[Citation] = []
    position = 0
    for match in _SENTENCE.finditer(answer):
        sentence = match.group()
        claim = _MARK.sub("", sentence)
        numbers = _cited(sentence, passages)
        shown = _MARK.sub(lambda mark: mark.group() if _existing(mark, passages) else "", sentence)
        if not numbers:
            numbers = _only_supporter(claim, passages)
            shown += "".join(f" [{number}]" for number in numbers)
        text += [answer[position : match.start()], shown]
        citations += [_cite(number, passages[number], claim) for number in numbers]
        position = match.end()
    return Checked("".join(text) + answer[position:], tuple(citations))


def _cited(sentence: str, passages: Mapping[int, Passage]) -> list[int]:
    numbers = (number for mark in _MARK.finditer(sentence) for number in _existing(mark, passages))
    return list(dict.fromkeys(numbers))


def _existing(mark: re.Match[str], passages: Mapping[int, Passage]) -> list[int]:
    return [number for number in map(int, mark.group(1).split(",")) if number in passages]


def _only_supporter(claim: str, passages: Mapping[int, Passage]) -> list[int]:
    """The one passage that supports a sentence better than all others, if there is one."""
    found = [(number, _support(claim, passage)) for number, passage in passages.items()]
    verified = [(support.share, number) for number, support in found if support.verified]
    best = max(verified, default=(0.0, 0))
    rivals = [number for share, number in verified if share == best[0]]
    return rivals if len(rivals) == 1 else []


def _cite(number: int, passage: Passage, claim: str) -> Citation:
    support = _support(claim, passage)
    chunk, (start, end) = passage.chunk, support.span
    return Citation(
        number=number,
        passage=passage,
        quote=chunk.text[start:end],
        span=(chunk.span[0] + start, chunk.span[0] + end),
        verified=support.verified,
        page=chunk.page_at(start),
    )


def _support(claim: str, passage: Passage) -> _Support:
    wanted = terms(claim)
    if not wanted:
        return _Support(0.0, (0, len(passage.chunk.text)), False)
    shares = ((len(wanted & terms(window)) / len(wanted), span) for window, span in _windows(passage.chunk.text))
    share, span = max(shares, key=lambda item: (item[0], item[1][0] - item[1][1]))
    return _Support(share, span, share >= MIN_SUPPORT and _facts_hold(claim, passage))


def _facts_hold(claim: str, passage: Passage) -> bool:
    """Whether every number and every name of the claim occurs in the passage, its headings or its title."""
    chunk = passage.chunk
    source = "\n".join((chunk.title, *chunk.headings, chunk.text))
    names = terms(" ".join(_NAME.findall(claim)))
    return _numbers(claim) <= _numbers(source) and names <= terms(source)


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _windows(text: str) -> Iterator[tuple[str, Span]]:
    """Every sentence of a passage, every two neighbours, and the whole."""
    spans = [match.span() for match in _SENTENCE.finditer(text)] or [(0, len(text))]
    pairs = [(left[0], right[1]) for left, right in zip(spans, spans[1:], strict=False)]
    for span in [*spans, *pairs, (0, len(text))]:
        yield text[span[0] : span[1]], span
