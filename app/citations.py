"""The model's [3] -> a checked span in a document. Pure: nothing here asks a model.

A sentence is supported by the part of a passage that shares most of its terms; the citation is verified if
enough of them are shared and every number and name of the sentence occurs in the passage.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.answers import Citation
from ingest.documents import Passage, Span
from ingest.terms import terms

MIN_SUPPORT = 0.5
"""Share of a sentence's terms that its quote must hold."""

_MARK = re.compile(r"\s*\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_CLAIM = re.compile(r"\S[^\n]*?(?:[.!?](?:\s*\[[\d,\s]+\])*(?=\s|$)|(?=\n|$))")
"""A sentence of an answer, with the marks behind its full stop; every line is one at least."""
_SENTENCE = re.compile(r"\S(?:[^\n]|\n(?!\s*\n|\s*[-*|#>]))*?(?:[.!?](?=\s|$)|(?=\s*\n\s*\n|\n\s*[-*|#>]|\s*$))")
"""A sentence of a document: lines may be wrapped; a blank line, a list or a table ends it."""
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
    verified: bool
    share: float
    """Of the sentence's terms that the quote holds, in [0, 1]."""
    asked: int
    """How many terms of the question the quote holds: it decides between quotes that are equal otherwise."""
    span: Span
    """Within the passage's text."""

    @property
    def strength(self) -> tuple[bool, float, int]:
        return self.verified, self.share, self.asked


def check(answer: str, passages: Mapping[int, Passage], question: str = "") -> Checked:
    """Resolves every [n] of `answer` against the passages that bear these numbers.

    A sentence whose marks are missing, or lead to passages that do not support it, gets the mark of the passage
    that does, if there is exactly one.
    """
    text: list[str] = []
    citations: list[Citation] = []
    position = 0
    for match in _CLAIM.finditer(answer):
        sentence = match.group()
        claim = _MARK.sub("", sentence).strip()
        supports = {number: _support(claim, passage, question) for number, passage in passages.items()}
        cited = _cited(sentence, passages)
        shown = _MARK.sub(lambda mark: mark.group() if _existing(mark, passages) else "", sentence)
        if not any(supports[number].verified for number in cited) and (source := _only_source(supports)):
            cited, shown = [source], f"{claim} [{source}]"
        text += [answer[position : match.start()], shown.lstrip()]
        citations += [_cite(number, passages[number], supports[number]) for number in cited]
        position = match.end()
    return Checked("".join(text) + answer[position:], tuple(citations))


def _cited(sentence: str, passages: Mapping[int, Passage]) -> list[int]:
    numbers = (number for mark in _MARK.finditer(sentence) for number in _existing(mark, passages))
    return list(dict.fromkeys(numbers))


def _existing(mark: re.Match[str], passages: Mapping[int, Passage]) -> list[int]:
    return [number for number in map(int, mark.group(1).split(",")) if number in passages]


def _only_source(supports: Mapping[int, _Support]) -> int | None:
    """The one passage that supports a sentence better than all others, if there is one."""
    best = max((support.strength for support in supports.values()), default=(False, 0.0, 0))
    sources = [number for number, support in supports.items() if support.strength == best]
    return sources[0] if best[0] and len(sources) == 1 else None


def _cite(number: int, passage: Passage, support: _Support) -> Citation:
    chunk, (start, end) = passage.chunk, support.span
    return Citation(
        number=number,
        passage=passage,
        quote=chunk.text[start:end],
        span=(chunk.span[0] + start, chunk.span[0] + end),
        verified=support.verified,
        page=chunk.page_at(start),
    )


def _support(claim: str, passage: Passage, question: str) -> _Support:
    """The part of a passage that supports a claim best, and whether it does."""
    text = passage.chunk.text
    wanted, asked = _features(claim), _features(question)
    holds = bool(wanted) and _facts_hold(claim, passage)
    best = _Support(False, 0.0, 0, (0, len(text)))
    for span in _windows(text):
        found = _features(text[span[0] : span[1]])
        share = len(wanted & found) / len(wanted) if wanted else 0.0
        support = _Support(holds and share >= MIN_SUPPORT, share, len(asked & found), span)
        best = max(best, support, key=lambda each: each.strength)
    return best


def _facts_hold(claim: str, passage: Passage) -> bool:
    """Whether every number and every name of the claim occurs in the passage, its headings or its title."""
    chunk = passage.chunk
    source = "\n".join((chunk.title, *chunk.headings, chunk.text))
    names = terms(" ".join(_NAME.findall(claim)))
    return _numbers(claim) <= _numbers(source) and names <= terms(source)


def _features(text: str) -> frozenset[int | str]:
    """The terms and numbers of a text. Numbers are taken whole, where BM25's tokenizer cuts them at commas."""
    return terms(_NUMBER.sub(" ", text)) | _numbers(text)


def _numbers(text: str) -> set[str]:
    return {_canonical(number.replace(",", "")) for number in _NUMBER.findall(text)}


def _canonical(number: str) -> str:
    """The same text for 7, 7.0 and 7.00; what is no number, as 9.10.2024, stays as it is."""
    return number.rstrip("0").rstrip(".") if number.count(".") == 1 else number


def _windows(text: str) -> Iterator[Span]:
    """Every sentence of a passage, and every two neighbours."""
    spans = [match.span() for match in _SENTENCE.finditer(text)]
    yield from spans
    yield from ((left[0], right[1]) for left, right in itertools.pairwise(spans))
