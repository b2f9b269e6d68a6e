"""Which citation a mark in an answer stands for: a passage may be cited by several sentences, with different words."""

from collections.abc import Callable
from dataclasses import dataclass

from app.answers import Answer
from app.citations import marks
from ingest.documents import Span


@dataclass(frozen=True, slots=True)
class _Sentence:
    span: Span
    citations: dict[int, int]
    """Positions in :attr:`Answer.citations`, by number."""


def citation_at(answer: Answer) -> Callable[[int, int], int | None]:
    """A number and an offset of the answer's text -> the position of the citation that is meant, if there is one."""
    sentences = _sentences(answer)
    first: dict[int, int] = {}
    for position, citation in enumerate(answer.citations):
        first.setdefault(citation.number, position)

    def found(number: int, offset: int) -> int | None:
        for sentence in sentences:
            if sentence.span[0] <= offset < sentence.span[1] and number in sentence.citations:
                return sentence.citations[number]
        return first.get(number)

    return found


def _sentences(answer: Answer) -> list[_Sentence]:
    """The sentences in order take their citations in order: as many as each names."""
    taken, sentences = 0, []
    for claim in answer.claims:
        named = set(marks.numbers(answer.text[slice(*claim.span)]))
        own: dict[int, int] = {}
        while taken < len(answer.citations) and (number := answer.citations[taken].number) in named - own.keys():
            own[number] = taken
            taken += 1
        sentences.append(_Sentence(claim.span, own))
    return sentences
