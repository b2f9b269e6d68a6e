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
from ingest.terms import query_terms

RANKINGS: tuple[Ranking, ...] = get_args(Ranking)[::-1]
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

    def summary(self) -> Values:
        characters = round(sum(self.characters) / len(self.characters), 1)
        told = mean(self.values) | {"characters@5": characters}
        return told | spread(self.searching, "search_") | spread(self.altogether)


def measure(library: Library, questions: QuestionSet, asked: Callable[[], None], limit: int | None = None) -> Run:
    """Asks those questions of which it is known where their answers stand, at most `limit`; calls `asked` after each.

    A ranking is timed while it looks for five passages, as for an answer. Raises :class:`UsageError` where there
    is nothing to ask.
    """
    wanted = [question for question in questions.questions if question.evidence][:limit]
    if not wanted:
        raise UsageError("No question says where its answer stands.", "See docs/retrieval.md for what a set holds.")
    search = _Search(library)
    search("warming up", "hybrid", 5)
    tallies: dict[Ranking, _Tally] = defaultdict(_Tally)
    for question in wanted:
        for ranking in RANKINGS:
            _ask(search, question, ranking, questions.by, tallies[ranking])
        asked()
    return Run(
        questions.name,
        questions.by,
        {ranking: tally.summary() for ranking, tally in tallies.items()},
        {ranking: tally.values for ranking, tally in tallies.items()},
    )


class _Search:
    """Searches as :meth:`Library.search` does, and knows how long each half of it took."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.embedding = self.searching = 0.0

    def __call__(self, text: str, ranking: Ranking, limit: int) -> list[Passage]:
        started = time.perf_counter()
        dense = self._library.embedder.embed_query(text)
        embedded = time.perf_counter()
        passages = self._library.index.search(dense, query_terms(text), limit, _EVERYTHING, ranking)
        self.embedding, self.searching = embedded - started, time.perf_counter() - embedded
        return passages


def _ask(search: _Search, question: Question, ranking: Ranking, by: By, tally: _Tally) -> None:
    first = search(question.text, ranking, 5)
    tally.searching.append(search.searching)
    tally.altogether.append(search.embedding + search.searching)
    tally.characters.append(sum(len(passage.chunk.text) for passage in first))
    ranks = met(question, search(question.text, ranking, CUTS[-1]), by)
    tally.values[question.id] = score(ranks, [place.grade for place in question.evidence])
