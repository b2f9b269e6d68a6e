"""How much of the documents a question brings into the window: the widest that fits both budgets. Pure.

A question may bring the whole collection, the whole documents of its passages, the sections around them, or the
passages alone. The window bounds what fits; the person's patience bounds what can be read before the first token.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.answers import Scope
from ingest.documents import Passage

LEAST = 3
"""Passages that a question brings even if reading them takes longer than the person's patience: with fewer, too many
answers would be missed."""

Cost = Callable[[Passage], int]
"""Tokens that a passage costs; 0 for one that is in the window already."""
Wider = Mapping[Scope, Callable[[], Sequence[Passage] | None]]
"""Makes what each scope but the narrowest would bring; None where it is too large to be looked at, or no wider."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a passage costs of each budget."""

    room: Cost
    """In the window."""
    reading: Cost
    """To be evaluated: less where it was read ahead."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a question may bring, in tokens."""

    room: Mapping[Scope, int]
    """In the window, for each scope: the wider ones leave room for questions to come."""
    patience: int | None
    """That can be read in the time a person waits; None as long as nobody has measured how fast that is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen for a question, and why."""

    scope: Scope
    passages: tuple[Passage, ...]
    """In the order in which the model reads them."""
    left_out: tuple[Passage, ...]
    """Found, but not shown."""
    reason: str
    """For a person."""


def plan(wider: Wider, found: Sequence[Passage], costs: Costs, budget: Budget, wished: Scope | None = None) -> Plan:
    """Chooses what a question brings; `found` are its passages, the best first.

    A `wished` scope is taken whatever time it takes to read, and as much of it as the window has room for.
    """
    if wished:
        wanted = wider[wished]() if wished in wider else found
        return _filled(wished, found if wanted is None else wanted, found, costs, budget.room["passages"])
    refused = ""
    for scope, candidates in wider.items():
        passages = candidates()
        if passages is None:
            continue
        tokens, reading = sum(map(costs.room, passages)), sum(map(costs.reading, passages))
        if not (refusal := _refusal(tokens, reading, budget.room[scope], budget.patience)):
            return Plan(scope, tuple(passages), (), f"{_NAMES[scope]}: {tokens:,} tokens.")
        refused = f"{_NAMES[scope]} would take {tokens:,} tokens: {refusal}."
    return _narrowest(found, costs, budget, refused)


def _narrowest(found: Sequence[Passage], costs: Costs, budget: Budget, refused: str) -> Plan:
    """The best passages: the first few as long as there is room, the others as long as there is time too."""
    room, patience = budget.room["passages"], budget.patience
    needed = _fitting(found[:LEAST], costs, room)
    room -= sum(map(costs.room, needed))
    if patience is not None:
        patience -= sum(map(costs.reading, needed))
    taken = needed + _fitting(found[LEAST:], costs, room, patience)
    return Plan("passages", tuple(taken), _without(found, taken), refused)


def _filled(scope: Scope, wanted: Sequence[Passage], found: Sequence[Passage], costs: Costs, room: int) -> Plan:
    taken = _fitting(wanted, costs, room)
    missing = len(wanted) - len(taken)
    reason = f"{missing:,} of {len(wanted):,} passages found no room." if missing else ""
    return Plan(scope, tuple(taken), _without(found, taken), reason)


def _fitting(passages: Iterable[Passage], costs: Costs, room: int, patience: int | None = None) -> list[Passage]:
    """Passages in their order as long as they fit; one that is too large is left out and the next one tried."""
    taken = []
    for passage in passages:
        tokens, reading = costs.room(passage), costs.reading(passage)
        if tokens <= room and (patience is None or reading <= patience):
            taken.append(passage)
            room -= tokens
            patience = None if patience is None else patience - reading
    return taken


def _without(found: Iterable[Passage], taken: Iterable[Passage]) -> tuple[Passage, ...]:
    ids = {passage.chunk.id for passage in taken}
    return tuple(passage for passage in found if passage.chunk.id not in ids)


def _refusal(tokens: int, reading: int, room: int, patience: int | None) -> str:
    """Why so many tokens are too many; empty if they are not."""
    if tokens > room:
        return f"the window has room for {max(0, room):,} of these"
    if reading and patience is None:
        return "how fast this model reads here is not known yet"
    if patience is not None and reading > patience:
        return f"{max(0, patience):,} can be read within answering.patience"
    return ""


_NAMES: Mapping[Scope, str] = {
    "collection": "The whole collection",
    "documents": "The whole documents",
    "sections": "The sections around the passages",
}
