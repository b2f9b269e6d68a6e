"""How often the passages of each document were shown to the model: the most used are read ahead first.

::

    TRANSOM_HOME/uses.json    {document id: count}
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.jsonfile import read_json, write_json


def uses(home: Path) -> dict[str, int]:
    """Counts by the ids of documents; what was never used has none."""
    return {document: count for document, count in read_json(home / "uses.json").items() if isinstance(count, int)}


def note_uses(home: Path, document_ids: Iterable[str]) -> None:
    """Counts one more use of each; where that cannot be written, it is as if it had not been."""
    counts = uses(home)
    for document in set(document_ids):
        counts[document] = counts.get(document, 0) + 1
    with suppress(OSError):
        write_json(home / "uses.json", counts)
