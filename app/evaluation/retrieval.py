"""Asks every question of a set in each ranking, and measures what is found and how long it takes."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, get_args

from app.evaluation.judging import met
from app.evaluation.metrics import CUTS, Values, mean, score, spread
from app.evaluation.questions import By, Question, QuestionSet
from ingest.documents import Passage
from ingest.errors import UsageError
from ingest.index import Ranking, Where
from ingest.library import DEFAULT_COLLECTION, Library

RANKINGS: tuple[Ranking, ...] = get_args(Ranking)
_ANSWERED_FROM = 5
"""Passages that a ranking is timed for: as many as a question brings into the window."""
_EVERYTHING = Where(collection=DEFAULT_COLLECTION)


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured over a question set."""

    name: str
    by: By
    summary: dict[str, Values]
    """For each ranking: the measures, `characters@5`, and milliseconds of the search without and with embedding."""
    questions: dict[str, dict[str, Values]]
    """For each ranking and question, the measures."""

    @property
    def asked(self) -> int:
        """Questions."""
        return len(next(iter(self.questions.values())))

    def to_json(self) -> dict[str, Any]:
        """Plain data, as :meth:`from_json` takes it."""
        return {**self.summary, "set": self.name, "by": self.by, "questions": self.questions}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The run that :meth:`to_json` wrote; raises :class:`KeyError` where it is none."""
        summary = {ranking: value[ranking] for ranking in value["questions"]}
        return cls(value["set"], value["by"], summary, value["questions"])


class _Tally:
    """What one ranking found."""

    def __init__(self) -> None:
        self.values: dict[str, Values] = {}
        self.characters: list[int] = []
        self.searching: list[float] = []
        self.altogether: list[float] = []

    def take(
        self, question: Question, values: Values, first: list[Passage], embedding: float, searching: float
    ) -> None:
        self.values[question.id] = values
        self.characters.append(sum(len(passage.chunk.text) for passage in first))
        self.searching.append(searching)
        self.altogether.append(embedding + searching)

    def summary(self) -> Values:
        characters = round(sum(self.characters) / len(self.characters), 1)
        told = mean(self.values) | {"characters@5": characters}
        return told | spread(self.searching, "search_") | spread(self.altogether)


def measure(library: Library, questions: QuestionSet, asked: Callable[[], None], limit: int | None = None) -> Run:
    """Asks those questions of which it is known where their answers stand, at most `limit`; calls `asked` after each.

    Raises :class:`UsageError` where there
    is nothing to ask.
    """
    wanted = [question for question in questions.questions if question.evidence][:limit]
    if not wanted:
        raise UsageError("No question says where its answer stands.", "See docs/retrieval.md for what a set holds.")
    library.embedder.embed_query("the first takes longer")
    tallies: dict[Ranking, _Tally] = defaultdict(_Tally)
    for question in wanted:
        _ask(library, question, questions.by, tallies)
        asked()
    return Run(
        questions.name,
        questions.by,
        {ranking: tally.summary() for ranking, tally in tallies.items()},
        {ranking: tally.values for ranking, tally in tallies.items()},
    )


def _ask(library: Library, question: Question, by: By, tallies: dict[Ranking, _Tally]) -> None:
    """Asks in every ranking. The question is embedded once, as the library does it, and so are its words."""
    started = time.perf_counter()
    query = library.vectors(question.text, _EVERYTHING)
    embedding = time.perf_counter() - started
    for ranking in RANKINGS:
        started = time.perf_counter()
        first = library.index.search(*query, _ANSWERED_FROM, _EVERYTHING, ranking)
        searching = time.perf_counter() - started
        ranks = met(question, library.index.search(*query, CUTS[-1], _EVERYTHING, ranking), by)
        values = score(ranks, [place.grade for place in question.evidence])
        tallies[ranking].take(question, values, first, embedding, searching)
