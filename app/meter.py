"""What is in the model's window, and what it cost. Pure: numbers in, numbers out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.llm.engine import Speed
from app.llm.ledger import Ledger


class Part(NamedTuple):
    """A part of the window, for a bar."""

    name: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Meter:
    """The window at one moment, in tokens, and how fast the model is."""

    size: int
    """All that the window can hold."""
    reserved: int
    """Of what is free, what is kept for an answer."""
    system: int
    pinned: int
    passages: int
    conversation: int
    prefill: float = 0.0
    """Tokens that are read in a second; 0 as long as nobody knows."""
    decode: float = 0.0
    """Tokens that are written in a second."""

    @property
    def used(self) -> int:
        """What the window holds."""
        return self.system + self.pinned + self.passages + self.conversation

    @property
    def free(self) -> int:
        """What it could hold besides, the next answer among it."""
        return max(0, self.size - self.used)

    @property
    def room(self) -> int:
        """What a question and its passages may take."""
        return max(0, self.free - self.reserved)

    def parts(self) -> Iterator[Part]:
        """The window from its beginning to its end."""
        yield Part("System", self.system)
        yield Part("Pinned", self.pinned)
        yield Part("Passages", self.passages)
        yield Part("Conversation", self.conversation)
        yield Part("Free", self.free)


def measured(ledger: Ledger, size: int, reserved: int, speed: Speed) -> Meter:
    """The window of a conversation: `size` tokens, of which `reserved` are kept for an answer."""
    return Meter(
        size=size,
        reserved=reserved,
        system=ledger.system,
        pinned=ledger.pinned - ledger.system,
        passages=ledger.shown,
        conversation=len(ledger.tokens) - ledger.pinned - ledger.shown,
        prefill=speed.prefill,
        decode=speed.decode,
    )


def nearly_full(meter: Meter, before: Meter | None) -> bool:
    """Whether a question like the last one would find no room, so that the window would be begun anew.

    `before` is the window before that question; without one, an eighth of the window is taken for its size.
    """
    grown = meter.used - before.used if before and meter.used > before.used else meter.size // 8
    return meter.room < grown
