"""Passages and a question -> the tokens of a user's turn.

Each passage is made into tokens by itself, so that what it costs does not depend on what stands around it. It is
fenced: a document can neither close its own fence nor open another.
"""

import re
from collections.abc import Iterable, Mapping

from app.llm.dialogue import Dialogue
from app.prompting import prompt
from ingest.documents import Passage

_APART = "\n\n"
_FENCE = re.compile(r"<(?=\s*/?\s*passage\b)", re.IGNORECASE)
"""What would begin or end a passage, if a document wrote it."""


def shown(passages: Mapping[int, Passage], dialogue: Dialogue) -> list[int]:
    """The tokens of passages in full, each behind its number and place."""
    return [token for number, passage in passages.items() for token in _block(number, passage, dialogue)]


def asked(question: str, known: Iterable[int], dialogue: Dialogue) -> list[int]:
    """The tokens of a question, behind the numbers of passages that are in the window already."""
    numbers = ", ".join(f"[{number}]" for number in known)
    pointer = prompt("known").render(numbers=numbers) + _APART if numbers else ""
    return dialogue.text(pointer + prompt("question").render(question=question))


def _block(number: int, passage: Passage, dialogue: Dialogue) -> list[int]:
    chunk = passage.chunk
    text = prompt("passage").render(number=str(number), place=_place(passage), text=_FENCE.sub("\u2039", chunk.text))
    return dialogue.text(text + _APART)


def _place(passage: Passage) -> str:
    page = passage.chunk.page_at(0)
    place = passage.chunk.uri if page is None else f"{passage.chunk.uri}, page {page}"
    return " > ".join((place, *passage.chunk.headings))
