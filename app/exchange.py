"""What a conversation remembers of a question: the sequence in words, the text so far, the outcome."""

import time
from dataclasses import dataclass, field
from typing import Literal

from app.answers import Answer, Condensed, Event, Finished, Fitted, Reading, Retrieved, Surveying, Token, Waiting
from app.llm.ledger import Place
from app.meter import Meter
from app.turns import place_in_line
from ingest.documents import Passage
from ingest.errors import TransomError

State = Literal["open", "answered", "stopped", "failed"]
"""`open`: it is being answered, or waits for it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the sequence, for a person."""

    who: str
    what: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, as it is kept."""

    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: TransomError) -> "Problem":
        """What a person is told of an error."""
        return cls(error.message, error.hint)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person thinks of an answer."""

    good: bool
    reason: str = ""


@dataclass(slots=True)
class Exchange:
    """A question and what has become of it."""

    question: str
    standalone: str = ""
    """The question as it was searched for."""
    lines: dict[str, Line] = field(default_factory=dict)
    """The sequence so far, by step."""
    said: str = ""
    """What the model wrote so far."""
    answer: Answer | None = None
    problem: Problem | None = None
    over: bool = False
    """Whether nothing more will come. One without answer or problem was stopped then."""
    at: float = field(default_factory=time.time)
    """When it was asked, in seconds since the epoch."""
    seconds: float = 0.0
    """From the question to the latest event."""
    found: list[Passage] = field(default_factory=list)
    """What the search found, the best first, with its scores."""
    left_out: list[Passage] = field(default_factory=list)
    """What was found, and not shown to the model."""
    meter: Meter | None = None
    """The window when it was over."""
    place: Place | None = None
    """Where in the window it was asked."""
    verdict: Verdict | None = None
    attempt: int = 0
    """How many answers to the same question were taken back for it."""

    @property
    def state(self) -> State:
        """What has become of it."""
        if not self.over:
            return "open"
        if self.problem:
            return "failed"
        return "answered" if self.answer else "stopped"

    def end(self, problem: TransomError | None = None) -> None:
        """Nothing more will come."""
        self.problem = Problem.of(problem) if problem else None
        self.lines.pop("wait", None)
        self.over = True

    def take(self, event: Event) -> None:
        """Notes what happened."""
        self.seconds = max(0.0, time.time() - self.at)
        self.lines.pop("wait", None)
        match event:
            case Waiting():
                self.lines["wait"] = Line("In line", place_in_line(event.ahead))
            case Condensed():
                self._condensed(event)
            case Surveying():
                self.lines["survey"] = Line("Documents", f"looking at {event.noun}: {event.done:,}/{event.total:,}")
            case Retrieved():
                self.found = event.passages
                found = _count(len(event.passages), "passage")
                self.lines["retrieve"] = Line("Vector DB", found, event.seconds)
            case Fitted():
                self.left_out = event.left_out
                self.lines["fit"] = Line("Window", _fitted(event))
            case Reading():
                self.lines["read"] = Line("Model", f"reading {event.done:,}/{event.total:,} tokens")
            case Token():
                self.said += "" if event.thought else event.text
                self.lines["generate"] = Line("Model", "thinking" if event.thought else "writing")
            case Finished():
                self._finished(event.answer)

    @property
    def doing(self) -> str:
        """The present step, in a few words."""
        if not self.lines:
            return "Understanding the question"
        line = list(self.lines.values())[-1]
        return f"{line.who}: {line.what}"

    @property
    def outcome(self) -> str:
        """How it ended, in a few words."""
        if self.problem:
            return "Not answered"
        verb = "Answered in" if self.answer else "Stopped after"
        return f"{verb} {self.seconds:.1f} s"

    def _condensed(self, event: Condensed) -> None:
        self.standalone = event.question
        if event.question != self.question.strip():
            self.lines["condense"] = Line("Question", f"understood as: {event.question}", event.seconds)

    def _finished(self, answer: Answer) -> None:
        self.answer = answer
        timings, usage = answer.timings, answer.usage
        if answer.finish_reason == "abstained":
            self.lines["judge"] = Line("Evidence", "nothing is close to the question: the model was not asked")
            return
        if answer.finish_reason == "surveyed":
            self.lines.pop("generate", None)
            self.lines["survey"] = Line("Documents", "looked at all of them", timings.get("retrieve"))
            return
        ahead = f", {usage.joined_tokens:,} were read ahead" if usage.joined_tokens else ""
        read = f"read {_count(usage.evaluated_tokens, 'token')}{ahead}, {usage.reused_tokens:,} were in the window"
        self.lines["read"] = Line("Model", read, timings.get("read"))
        self.lines["generate"] = Line("Model", "wrote the answer", timings.get("generate"))
        verified = sum(citation.verified for citation in answer.citations)
        checked = f"{verified} of {_count(len(answer.citations), 'citation')} verified"
        self.lines["cite"] = Line("Citations", checked, timings.get("cite"))


def _fitted(event: Fitted) -> str:
    text = f"{_count(len(event.passages), 'passage')} for the model"
    if event.left_out:
        text += f", {len(event.left_out)} left out"
    if event.compacted:
        text += ", begun anew because it was full, with the last turns"
    return f"{text}. {event.reason}" if event.reason else text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
