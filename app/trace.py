"""The record of one answer: what was searched for, found, shown and left out, the prompt, the check, the times."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from app.answers import Answer, Condensed, Event, Finished, Fitted, Retrieved, Scope
from app.records import Records
from ingest.documents import Passage

_MOST = 1_000
"""Traces that are kept; the oldest go."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How one answer came about."""

    question: str
    answer: Answer
    standalone: str = ""
    """The question as it was searched for."""
    found: list[Passage] = field(default_factory=list)
    """The best first, with their scores."""
    narrowed: str = ""
    """By what the question itself narrowed the search; empty for nothing."""
    shown: dict[int, Passage] = field(default_factory=dict)
    """What the model saw for this question, by number."""
    left_out: list[Passage] = field(default_factory=list)
    scope: Scope | None = None
    """None: the model was not asked."""
    reason: str = ""
    """Why so much was shown and no more."""
    compacted: bool = False
    prompt: str = ""
    """What was added to the window."""
    at: float = 0.0
    """Seconds since the epoch."""

    @property
    def abstained(self) -> str:
        """Why there is no answer, for a person; empty if there is one."""
        if not self.answer.abstained:
            return ""
        if self.answer.finish_reason == "abstained":
            return "There was too little evidence to ask the model."
        if self.answer.unsupported:
            return f"No passage supports what the model said: {self.answer.unsupported}"
        return "The model said that the passages do not answer the question."


def kept_traces(home: Path) -> Records[Trace]:
    """The traces of a home, by their ids."""
    return Records(home / "traces.db", TypeAdapter(Trace), _MOST)


class Tracer:
    """Gathers a trace from the events of an answer."""

    def __init__(self, question: str) -> None:
        self._question = question
        self._condensed: Condensed | None = None
        self._retrieved: Retrieved | None = None
        self._fitted: Fitted | None = None

    def take(self, event: Event) -> Trace | None:
        """Notes what happened; gives the trace once the answer is whole."""
        match event:
            case Condensed():
                self._condensed = event
            case Retrieved():
                self._retrieved = event
            case Fitted():
                self._fitted = event
            case Finished():
                return self._trace(event.answer)
        return None

    def _trace(self, answer: Answer) -> Trace:
        fitted = self._fitted
        return Trace(
            question=self._question,
            answer=answer,
            standalone=self._condensed.question if self._condensed else "",
            found=self._retrieved.passages if self._retrieved else [],
            narrowed=self._retrieved.narrowed if self._retrieved else "",
            shown=fitted.passages if fitted else {},
            left_out=fitted.left_out if fitted else [],
            scope=fitted.scope if fitted else None,
            reason=fitted.reason if fitted else "",
            compacted=fitted.compacted if fitted else False,
            prompt=fitted.prompt if fitted else "",
            at=time.time(),
        )
