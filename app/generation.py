"""The model at work on one window: its tokens become what a person sees, and what stays in the window."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.answers import Reading, Token
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine, Evaluated
from app.llm.sampling import Sampling
from app.llm.visible import Piece, VisibleText

_LIKELIEST = Sampling()


@dataclass(frozen=True, slots=True)
class Task:
    """What the model is asked to do."""

    window: Sequence[int]
    limit: int
    """Most tokens it may generate."""
    sampling: Sampling = _LIKELIEST
    pinned: int = 0
    """How many tokens of the window, from the first, will be wanted by others too."""
    within_thought: bool = False
    """Whether the window ends with the opening of a thought."""


@dataclass(slots=True)
class Generation:
    """What the model has done so far."""

    evaluated: int = 0
    reused: int = 0
    joined: int = 0
    tokens: list[int] = field(default_factory=list)
    ended: bool = False
    repeated: bool = False
    """Whether it was stopped because it only said the same again and again."""
    text: str = ""
    thought: str = ""

    def left(self, dialogue: Dialogue, closing: Sequence[int] = ()) -> list[int]:
        """What of the generated tokens stays in the window: all of them, unless there was a thought.

        A thought goes; the answer behind it, at other positions now, is evaluated again with the next question.
        `closing` closes a thought that the window opens before them.
        """
        if not self.thought:
            return self.tokens
        answer = [*closing, *dialogue.text(self.text.lstrip() if closing else self.text)]
        return [*answer, self.tokens[-1]] if self.ended else answer


def generate(engine: Engine, task: Task, generation: Generation) -> Iterator[Reading | Token]:
    """Lets the model do a task; closing the iterator stops it. `generation` grows with what it does."""
    visible = VisibleText(task.within_thought)
    for event in engine.complete(task.window, task.limit, task.sampling, task.pinned):
        if isinstance(event, Evaluated):
            generation.evaluated, generation.reused, generation.joined = event.done, event.reused, event.joined
            yield Reading(event.done, event.total)
            continue
        generation.tokens.append(event.token)
        generation.ended, generation.repeated = event.ends, event.repeats
        piece = b"" if event.ends else engine.runtime.piece(event.token)
        yield from _shown(visible.feed(piece), generation)
    yield from _shown(visible.finish(), generation)


def _shown(pieces: Sequence[Piece], generation: Generation) -> Iterator[Token]:
    for piece in pieces:
        if piece.kind == "thought":
            generation.thought += piece.text
        else:
            generation.text += piece.text
        yield Token(piece.text, thought=piece.kind == "thought")
