"""The model's [3] -> a checked span in a document. Pure: nothing here asks a model.

A sentence is supported by the part of a passage that shares most of its words; the citation is verified if
enough of them are shared and every number and name of the sentence occurs in the passage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.answers import Citation, Claim
from app.citations import marks, sentences
from app.citations.alignment import Support, is_claim, support
from ingest.documents import Passage

__all__ = ["Checked", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer after its citations were checked."""

    text: str
    """As it should be shown: marks of passages that do not exist are gone, missing marks are added."""
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    """Its sentences in order, but for those that say nothing a source could support."""

    @property
    def holds(self) -> bool:
        """Whether it is an answer: a citation is verified, and half of what it says is supported at least."""
        supported = sum(claim.supported for claim in self.claims)
        return any(citation.verified for citation in self.citations) and 2 * supported >= len(self.claims)


def check(answer: str, passages: Mapping[int, Passage], question: str = "") -> Checked:
    """Resolves every mark of `answer` against the passages that bear these numbers.

    A sentence whose marks are missing, or lead to passages that do not support it, gets the mark of the passage
    that does, if there is exactly one.
    """
    text, position = "", 0
    citations: list[Citation] = []
    claims: list[Claim] = []
    for start, end in sentences.of_answer(answer):
        sentence = _checked(answer[start:end], passages, question)
        text += answer[position:start]
        if sentence.claim:
            claims.append(Claim((len(text), len(text) + len(sentence.shown)), sentence.supported))
        text, position = text + sentence.shown, end
        citations += sentence.citations
    return Checked(text + answer[position:], tuple(citations), tuple(claims))


@dataclass(frozen=True, slots=True)
class _Sentence:
    shown: str
    citations: tuple[Citation, ...]
    claim: bool
    supported: bool


def _checked(sentence: str, passages: Mapping[int, Passage], question: str) -> _Sentence:
    said = marks.without(sentence).strip()
    shown = marks.existing(sentence, passages).strip()
    if not is_claim(said):
        return _Sentence(shown, (), claim=False, supported=False)
    supports = {number: support(said, passage.chunk, question) for number, passage in passages.items()}
    cited = [number for number in marks.numbers(sentence) if number in passages]
    if not any(supports[number].verified for number in cited) and (source := _only_source(supports)):
        cited, shown = [source], marks.marked(said, source)
    return _Sentence(
        shown,
        tuple(_cite(number, passages[number], supports[number]) for number in cited),
        claim=True,
        supported=any(found.verified for found in supports.values()),
    )


def _only_source(supports: Mapping[int, Support]) -> int | None:
    """The one passage that supports a sentence better than all others, if there is one."""
    best = max((found.strength for found in supports.values()), default=(False, 0.0, 0))
    sources = [number for number, found in supports.items() if found.strength == best]
    return sources[0] if best[0] and len(sources) == 1 else None


def _cite(number: int, passage: Passage, found: Support) -> Citation:
    chunk, (start, end) = passage.chunk, found.span
    return Citation(
        number=number,
        passage=passage,
        quote=chunk.text[start:end],
        span=(chunk.span[0] + start, chunk.span[0] + end),
        verified=found.verified,
        page=chunk.page_at(start),
    )
