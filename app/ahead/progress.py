"""How far reading ahead is, as a terminal, a page and another process are told."""

from dataclasses import dataclass

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Estimate:
    """What reading a collection ahead would take."""

    passages: int
    """That are not read yet, as far as there is room for them."""
    seconds: float | None
    """None as long as nobody has measured how fast the model reads."""
    bytes: int
    ready: int = 0
    """Passages that are read."""
    total: int = 0
    """Passages of the collection."""


@dataclass(frozen=True, slots=True)
class ReadSoFar:
    """How far the reading of a collection is."""

    passages: int
    """That are read, now or before."""
    total: int
    """Passages of the collection."""
    bytes: int
    """Of the states of those that were come by."""
    full: bool = False
    """Whether no more find room."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one reading stands: first the model's trial, then the estimate, then passage by passage."""

    collection: str
    """Empty during a trial that is made for all."""
    tried: int = 0
    """Parts of the trial that are done."""
    estimate: Estimate | None = None
    """None before the trial is over."""
    read: ReadSoFar | None = None
    """None before the first batch."""
    seconds_left: float | None = None
    """None as long as that cannot be said."""


PROGRESS_JSON = TypeAdapter(Progress)
"""A row of JSON out of it, and back."""
