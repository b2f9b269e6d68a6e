"""The nouns of answering, and the events that one answer is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ingest.documents import Passage, Span

Scope = Literal["collection", "documents", "sections", "passages"]
"""How much of the documents a question brings into the window, from the widest."""
Thinking = Literal["on", "off", "auto"]
"""Whether the model thinks before it answers; `auto`: where it is fast enough."""
ReadAhead = Literal["auto", "on", "off"]
"""Whether passages are joined to the window as they were read ahead; `auto`: where it saves much and harms nothing."""
Step = Literal["condense", "retrieve", "judge", "fit", "read", "generate", "cite"]
Timings = dict[str, float]
"""Seconds spent on each :data:`Step`."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence's source: a span of a passage, checked in code."""

    number: int
    """The n of [n], which stays with the passage for the whole conversation."""
    passage: Passage
    quote: str
    """The words of the passage that support the sentence best; they stand at `span`."""
    span: Span
    """Characters of the document's text."""
    verified: bool
    """Whether the quote supports the sentence: words, numbers and names of the sentence occur in it."""
    page: int | None
    """The physical page the quote starts on; None where the format has no pages."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer, checked in code."""

    span: Span
    """Characters of the answer's text, the marks of the sentence among them."""
    supported: bool
    """Whether any passage supports it; one that no passage supports is to be shown as such."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, in tokens."""

    window_tokens: int
    """In the window when the answer ended."""
    evaluated_tokens: int
    """Read by the model for this answer, and to condense the question before it."""
    reused_tokens: int
    """In the window already when the answer began."""
    joined_tokens: int = 0
    """Of passages that were read ahead."""

    def __str__(self) -> str:
        """What was read for the answer, for a person."""
        ahead = f"{self.joined_tokens:,} read ahead, " if self.joined_tokens else ""
        return f"{self.evaluated_tokens:,} evaluated, {ahead}{self.reused_tokens:,} reused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gets for a question."""

    text: str
    citations: tuple[Citation, ...]
    passages: dict[int, Passage]
    """What the question retrieved, by number; passages that found no room have none and are left out."""
    abstained: bool
    """Whether the documents do not answer the question: no evidence was found, the model saw none in it, or
    less than half of what it said is supported."""
    usage: Usage
    timings: Timings
    prompt_id: str
    finish_reason: Literal["ended", "length", "repeated", "abstained", "surveyed"]
    thought: str = ""
    unsupported: str = ""
    """What the model said instead, where passages support less than half of it."""
    coverage: float | None = None
    """Share of the files that had been read when the passages were retrieved; None for all of them."""
    trace: str = ""
    """Names the record of it, which `transom trace` shows."""
    claims: tuple[Claim, ...] = ()
    """The sentences of `text` that say something, in order."""

    @property
    def unproved(self) -> list[str]:
        """The sentences that no passage supports."""
        return [self.text[slice(*claim.span)] for claim in self.claims if not claim.supported]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants for one question; None leaves it to the settings."""

    scope: Scope | None = None
    thinking: Thinking | None = None
    attempt: int = 0
    """How many answers the person has seen before: the next one is to be another."""


AS_SET = Wish()
"""Everything as the settings say."""


@dataclass(slots=True)
class Turn:
    """A question and its answer, as they stand in a conversation."""

    question: str
    standalone: str
    """The question as it was searched for: it can be understood without the conversation."""
    answer: Answer


@dataclass(frozen=True, slots=True)
class Waiting:
    """Other questions are answered first; told every second, by whoever shares the model."""

    ahead: int
    """How many, with the one that is being answered."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """Step 1 is done."""

    question: str
    """The question as it will be searched for."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Surveying:
    """Progress of a look at all documents, in place of steps 2 to 5."""

    done: int
    total: int
    noun: str = "documents"


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Step 2 is done."""

    passages: list[Passage]
    seconds: float
    narrowed: str = ""
    """By what the question itself narrowed the search, for a person; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Step 4 is done."""

    passages: dict[int, Passage]
    """What the model will see for this question, by number."""
    left_out: list[Passage] = field(default_factory=list)
    """What was found, and not shown to it."""
    scope: Scope = "passages"
    """How much of the documents was brought into the window."""
    reason: str = ""
    """Why so much and no more."""
    compacted: bool = False
    """Whether the window was full and was begun anew, with the last turns and what they cite."""
    prompt: str = ""
    """What the window says from the last answer on, control tokens by their names; for a first question, all of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Progress of step 5 before the first token, in tokens."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """Some text of the answer, or of the model's thought."""

    text: str
    thought: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole."""

    answer: Answer


Event = Waiting | Condensed | Surveying | Retrieved | Fitted | Reading | Token | Finished


def whole(events: Iterable[Event]) -> Answer:
    """The answer that a stream of events ends with."""
    for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("the stream ends with Finished")
