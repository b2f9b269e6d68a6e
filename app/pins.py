"""Which documents are pinned: every conversation over their collection has them in its window from the start.

::

    TRANSOM_HOME/pins.json    {collection: [ids of documents]}
"""

from collections.abc import Iterable
from pathlib import Path

from app.jsonfile import read_json, write_json


class Pins:
    """The pinned documents of one home."""

    def __init__(self, home: Path) -> None:
        self._file = home / "pins.json"

    def of(self, collection: str) -> list[str]:
        """The ids of the documents that are pinned in a collection, in the order they were pinned."""
        return [str(document_id) for document_id in read_json(self._file).get(collection, [])]

    def put(self, collection: str, document_ids: Iterable[str]) -> None:
        """Pins these documents of a collection, and no others."""
        pins = {**read_json(self._file), collection: list(document_ids)}
        write_json(self._file, {name: ids for name, ids in pins.items() if ids})
