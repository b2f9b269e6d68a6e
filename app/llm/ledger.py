"""The window of one conversation: its tokens as evaluated, and the passages in it with their numbers.

Only added to. A passage keeps its number for the whole conversation and is never put in twice, so a follow-up
costs its own new tokens and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.llm.dialogue import Dialogue
from ingest.documents import Passage


@dataclass(frozen=True, slots=True)
class Draft:
    """What asking a question would add to the window."""

    tokens: list[int]
    passages: Mapping[int, Passage]
    """Those that it shows in full, by number."""
    shown: int = 0
    """How many of the tokens those are."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Everything a ledger holds, to be kept."""

    tokens: list[int]
    passages: dict[int, Passage]
    numbers: dict[str, int]
    pinned: int
    thinking: bool
    between: list[int]
    system: int
    shown: int
    begun: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a window a question was asked: the window can be cut back to there."""

    begun: int
    """Which window it was."""
    tokens: int
    passages: int
    """How many were in the window."""
    between: list[int]
    shown: int


class Ledger:
    """Tokens and numbered passages; the KV cache is a copy of it that the engine keeps."""

    def __init__(self, dialogue: Dialogue, system: str, thinking: bool = False) -> None:
        self._dialogue = dialogue
        self._system = system
        self._numbers: dict[str, int] = {}
        """Of every passage that ever was shown or cited, by the id of its chunk."""
        self.tokens: list[int]
        self.passages: dict[int, Passage]
        """Those in the window, by number, in the order they came in."""
        self.pinned: int
        """How many of the tokens, from the first, stay when the window is begun anew."""
        self.thinking: bool
        """Whether the window was opened for thoughts."""
        self.system: int
        """How many of the tokens, from the first, are the system's."""
        self.shown: int
        """How many of the tokens behind the pinned ones are passages."""
        self._between: list[int]
        """Glue that the next question begins with."""
        self._begun = 0
        """How often the window was begun."""
        self.restart(thinking)

    @property
    def dialogue(self) -> Dialogue:
        """The turn format of the model."""
        return self._dialogue

    def number_of(self, passage: Passage) -> int | None:
        """The number of a passage that is in the window already."""
        number = self._numbers.get(passage.chunk.id)
        return number if number in self.passages else None

    def numbered(self, passages: Iterable[Passage]) -> dict[int, Passage]:
        """Passages by their number: the one they ever had in this conversation, else the next."""
        fresh, numbered = len(self._numbers) + 1, {}
        for passage in passages:
            number = self._numbers.get(passage.chunk.id)
            if number is None:
                number, fresh = fresh, fresh + 1
            numbered[number] = passage
        return numbered

    def name(self, passages: Iterable[Passage]) -> dict[int, Passage]:
        """Passages by their number, which they keep although they are not shown in the window."""
        numbered = self.numbered(passages)
        self._numbers.update((passage.chunk.id, number) for number, passage in numbered.items())
        return numbered

    def question(self, said: Sequence[int], think: bool = False) -> list[int]:
        """The tokens of a user's turn that says `said`, up to where the model begins to answer."""
        return [*self._between, *said, *self._dialogue.before_answer(think, self.thinking)]

    def commit(self, draft: Draft, answer: Sequence[int], ended: bool) -> None:
        """Adds a whole turn: a drafted question, and what the model generated.

        `ended`: the last token of the answer is the model's own end of turn.
        """
        self.tokens += [*draft.tokens, *answer]
        self.shown += draft.shown
        self._show(draft.passages)
        self._between = self._dialogue.next_turn(ended)

    def pin(self, shown: Draft) -> None:
        """Adds passages to the opening of a window in which nothing was asked yet."""
        self.tokens += shown.tokens
        self._show(shown.passages)
        self.pinned = len(self.tokens)

    def restart(self, thinking: bool = False) -> None:
        """Begins a new window for the same conversation; numbers that were given stay given."""
        self.thinking = thinking
        self.tokens = self._dialogue.opening(self._system, thinking)
        self.pinned = self.system = len(self.tokens)
        self.shown = 0
        self._begun += 1
        self.passages = {}
        self._between = []

    def state(self) -> LedgerState:
        """What :meth:`restore` goes on from, in another process too."""
        return LedgerState(
            list(self.tokens),
            dict(self.passages),
            dict(self._numbers),
            self.pinned,
            self.thinking,
            list(self._between),
            self.system,
            self.shown,
            self._begun,
        )

    @property
    def place(self) -> Place:
        """Where :meth:`go_back` comes back to."""
        return Place(self._begun, len(self.tokens), len(self.passages), list(self._between), self.shown)

    def go_back(self, place: Place) -> bool:
        """Cuts the window back to where it was before; False if it was begun anew since."""
        if place.begun != self._begun or place.tokens > len(self.tokens):
            return False
        del self.tokens[place.tokens :]
        self.passages = dict(list(self.passages.items())[: place.passages])
        self._between, self.shown = list(place.between), place.shown
        return True

    def restore(self, state: LedgerState) -> None:
        """Goes on where a ledger of the same model and the same system prompt stood."""
        self.tokens, self.passages, self._numbers = list(state.tokens), dict(state.passages), dict(state.numbers)
        self.pinned, self.thinking, self._between = state.pinned, state.thinking, list(state.between)
        self.system, self.shown, self._begun = state.system, state.shown, state.begun

    def _show(self, passages: Mapping[int, Passage]) -> None:
        for number, passage in passages.items():
            self._numbers[passage.chunk.id] = number
            self.passages[number] = passage
