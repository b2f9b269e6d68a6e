"""Passages and a question -> the entries of a user's turn in the window.

Each passage is made into tokens by itself, and so is its number, so that what it costs does not depend on what stands
around it, and it can be read ahead. It is fenced: a document can neither close its own fence nor open another.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from app.llm.dialogue import Dialogue
from app.llm.engine import Ready
from app.llm.joined import joined
from app.prompting import prompt
from ingest.documents import Chunk, Passage

_APART = "\n\n"
_FENCE = re.compile(r"<(?=\s*/?\s*passage\b)", re.IGNORECASE)
"""What would begin or end a passage, if a document wrote it."""


def nothing_ready(_: Sequence[int]) -> bool:
    """Every passage is evaluated where it stands."""
    return False


def shown(passages: Mapping[int, Passage], dialogue: Dialogue, ready: Ready = nothing_ready) -> list[int]:
    """Passages in full, each behind its number, as entries of a window; those that are `ready` are to be joined."""
    return [entry for number, passage in passages.items() for entry in _block(number, passage, dialogue, ready)]


def body(chunk: Chunk, dialogue: Dialogue) -> list[int]:
    """The tokens of a passage behind its number: the same in every conversation, so that it can be read ahead."""
    text = prompt("passage").render(number="0", place=_place(chunk), text=_FENCE.sub("\u2039", chunk.text))
    return dialogue.text(text.removeprefix("[0") + _APART)


def label(number: int, dialogue: Dialogue) -> list[int]:
    """The tokens of a passage's number, as few as can be."""
    return dialogue.text(f"[{number}")


def asked(question: str, known: Iterable[int], dialogue: Dialogue) -> list[int]:
    """The tokens of a question, behind the numbers of passages that are in the window already."""
    numbers = ", ".join(f"[{number}]" for number in known)
    pointer = prompt("known").render(numbers=numbers) + _APART if numbers else ""
    return dialogue.text(pointer + prompt("question").render(question=question))


def _block(number: int, passage: Passage, dialogue: Dialogue, ready: Ready) -> list[int]:
    tokens = body(passage.chunk, dialogue)
    return [*label(number, dialogue), *(joined(tokens) if ready(tokens) else tokens)]


def _place(chunk: Chunk) -> str:
    page = chunk.page_at(0)
    place = chunk.uri if page is None else f"{chunk.uri}, page {page}"
    return " > ".join((place, *chunk.headings))
