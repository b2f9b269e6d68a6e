"""The window of one conversation: its tokens as evaluated, and the passages in it with their numbers.

Only added to. A passage keeps its number for the whole conversation and is never put in twice, so a follow-up
costs its own new tokens and nothing else.
"""

from collections.abc import Sequence

from app.llm.dialogue import Dialogue
from ingest.documents import Passage


class Ledger:
    """Tokens and numbered passages; the KV cache is a copy of it that the engine keeps."""

    def __init__(self, dialogue: Dialogue, system: str) -> None:
        self._dialogue = dialogue
        self._system = system
        self.tokens: list[int]
        self.passages: dict[int, Passage]
        """By number, in the order they came in."""
        self._numbers: dict[str, int]
        self._between: list[int]
        """Glue that the next question begins with."""
        self.restart()

    def number_of(self, passage: Passage) -> int | None:
        """The number of a passage that is in the window already."""
        return self._numbers.get(passage.chunk.id)

    @property
    def next_number(self) -> int:
        """What the next new passage will be called."""
        return len(self.passages) + 1

    def draft(self, text: str) -> list[int]:
        """The tokens that asking `text` next would add."""
        return self._between + self._dialogue.question(text)

    def commit(self, draft: Sequence[int], passages: Sequence[Passage], answer: Sequence[int], ended: bool) -> None:
        """Adds a whole turn: a drafted question that shows new `passages`, and what the model generated.

        `ended`: the last token of the answer is the model's own end of turn.
        """
        self.tokens += [*draft, *answer]
        for passage in passages:
            self._numbers[passage.chunk.id] = self.next_number
            self.passages[self.next_number] = passage
        self._between = self._dialogue.next_turn(ended)

    def restart(self) -> None:
        """Begins a new window for the same conversation; numbers start again."""
        self.tokens = self._dialogue.opening(self._system)
        self.passages = {}
        self._numbers = {}
        self._between = []
