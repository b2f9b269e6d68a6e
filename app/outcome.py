"""What a question has come to: its answer, as the model gave it, as a survey found it, or that there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Literal

from app.answers import Answer, Timings, Usage, Wish
from app.citations import check
from app.conversation import Conversation
from app.generation import Generation
from app.prompting import prompt
from app.survey.surveyor import Survey
from ingest.documents import Passage

ABSTAINED = "The documents do not answer this."
"""What an answer says when there is no evidence; the prompt asks the model for the same words."""


@dataclass(slots=True)
class Asked:
    """One question on its way to an answer."""

    question: str
    conversation: Conversation
    wish: Wish
    timings: Timings
    standalone: str = ""
    """As it is searched for."""
    wording: str = ""
    """As the model is asked, which has the conversation in its window."""
    condensing: int = 0
    """Tokens that were read to condense it."""
    think: bool = False
    """Whether the model is to think before it answers."""
    coverage: float | None = None
    """Share of the files that could be read so far; None for all of them."""
    id: str = field(default_factory=partial(token_hex, 4))
    """Names the record of its answer."""


def answered(asked: Asked, generation: Generation, shown: Mapping[int, Passage]) -> Answer:
    """What the model said, with its citations checked; what passages support too little of is no answer."""
    said = generation.text.strip()
    declined = said.lower().startswith(ABSTAINED.rstrip(".").lower())
    checked = check("" if declined else said, asked.conversation.ledger.passages, asked.wording)
    abstained = not checked.holds
    return Answer(
        text=ABSTAINED if abstained else checked.text,
        citations=() if abstained else checked.citations,
        claims=() if abstained else checked.claims,
        passages=dict(shown),
        abstained=abstained,
        usage=_usage(asked, generation),
        timings=asked.timings,
        prompt_id=prompt("answer").id,
        finish_reason=_reason(generation),
        trace=asked.id,
        thought=generation.thought.strip(),
        unsupported=said if abstained and not declined else "",
        coverage=asked.coverage,
    )


def declined(asked: Asked) -> Answer:
    """That there is too little evidence to ask the model."""
    return Answer(
        text=ABSTAINED,
        citations=(),
        passages={},
        abstained=True,
        usage=_usage(asked, Generation()),
        timings=asked.timings,
        prompt_id=prompt("answer").id,
        finish_reason="abstained",
        trace=asked.id,
        coverage=asked.coverage,
    )


def surveyed(asked: Asked, survey: Survey) -> Answer:
    """What a look at all documents found."""
    return Answer(
        text=ABSTAINED if survey.empty else survey.text,
        citations=survey.citations,
        claims=survey.claims,
        passages=dict(survey.passages),
        abstained=survey.empty,
        usage=_usage(asked, Generation()),
        timings=asked.timings,
        prompt_id=prompt("list").id,
        finish_reason="surveyed",
        trace=asked.id,
        coverage=asked.coverage,
    )


def _usage(asked: Asked, generation: Generation) -> Usage:
    evaluated = asked.condensing + generation.evaluated
    return Usage(len(asked.conversation.ledger.tokens), evaluated, generation.reused, generation.joined)


def _reason(generation: Generation) -> Literal["ended", "length", "repeated"]:
    if generation.repeated:
        return "repeated"
    return "ended" if generation.ended else "length"
