"""A conversation: its questions and answers, and the window that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.answers import Turn
from app.llm.engine import Ready
from app.llm.joined import counted
from app.llm.ledger import Draft, Ledger, Place
from app.wording import asked, nothing_ready, shown
from ingest.documents import Passage
from ingest.index import Where

_KEPT = 3
"""Turns that a window which is begun anew still holds, at most."""
_SHARE = 4
"""The part of the room behind what is pinned that they may take: a fourth, and what they cite another."""


@dataclass(slots=True)
class Conversation:
    """Questions and answers over the part of the library that `where` means."""

    where: Where
    ledger: Ledger
    pinned: list[Passage] = field(default_factory=list)
    """Shown before the first question, and again whenever the window is begun anew."""
    whole: int = 0
    """How many chunks `where` meant when all of them were pinned; 0 if they were not."""
    turns: list[Turn] = field(default_factory=list)
    rebuilt: int = 0
    """How often the window was begun anew."""

    def __post_init__(self) -> None:
        self._pin()

    @property
    def answered(self) -> list[Turn]:
        """The turns that the model has seen."""
        return [turn for turn in self.turns if turn.answer.finish_reason != "abstained"]

    def rebuild(self, room: int, thinking: bool, ready: Ready = nothing_ready) -> None:
        """Begins the window anew, `room` tokens large: what is pinned, the last turns, and the passages they cite."""
        self.rebuilt += bool(self.answered)
        self.ledger.restart(thinking)
        self._pin()
        share = (room - self.ledger.pinned) // _SHARE
        turns = self._last(share)
        cited = self._cited(turns, share)
        for turn in turns:
            draft = self.draft(turn.standalone, cited, ready=ready)
            self.ledger.commit(draft, self.ledger.dialogue.text(turn.answer.text), ended=False)
            cited = []

    def go_back(self, turns: Sequence[Turn], place: Place | None, room: int) -> None:
        """Forgets all but the first `turns`; the window is cut back to `place`, or else begun anew."""
        self.turns = list(turns)
        if place is None or not self.ledger.go_back(place):
            self.rebuild(room, self.ledger.thinking)

    def draft(
        self, question: str, passages: Sequence[Passage], think: bool = False, ready: Ready = nothing_ready
    ) -> Draft:
        """What asking a question with these passages would add; those in the window already are named only.

        Those that are `ready` are joined.
        """
        ledger = self.ledger
        numbered = ledger.numbered(passages)
        new = {number: passage for number, passage in numbered.items() if number not in ledger.passages}
        known = [number for number in numbered if number in ledger.passages and not self.whole]
        passage_tokens = shown(new, ledger.dialogue, ready)
        said = passage_tokens + asked(question, known, ledger.dialogue)
        return Draft(ledger.question(said, think), new, len(passage_tokens))

    def cost(self, passage: Passage) -> int:
        """Tokens that a passage would take; 0 for one that is in the window."""
        return len(self._new(passage, nothing_ready))

    def reading(self, passage: Passage, ready: Ready) -> int:
        """How many of these would have to be evaluated."""
        entries = self._new(passage, ready)
        return len(entries) - counted(entries)

    def _new(self, passage: Passage, ready: Ready) -> list[int]:
        if self.ledger.number_of(passage) is not None:
            return []
        return shown(self.ledger.numbered([passage]), self.ledger.dialogue, ready)

    def _pin(self) -> None:
        numbered = self.ledger.numbered(self.pinned)
        self.ledger.pin(Draft(shown(numbered, self.ledger.dialogue), numbered))

    def _last(self, room: int) -> list[Turn]:
        kept: list[Turn] = []
        for turn in reversed(self.answered[-_KEPT:]):
            room -= len(self.ledger.dialogue.text(turn.standalone + turn.answer.text))
            if room < 0:
                break
            kept.insert(0, turn)
        return kept

    def _cited(self, turns: Sequence[Turn], room: int) -> list[Passage]:
        """What the turns cite, the last cited first, as long as there is room."""
        passages = [citation.passage for turn in reversed(turns) for citation in turn.answer.citations]
        kept: list[Passage] = []
        for passage in {passage.chunk.id: passage for passage in passages}.values():
            if (cost := self.cost(passage)) <= room:
                kept.append(passage)
                room -= cost
        return kept
