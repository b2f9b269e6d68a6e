"""How much of the documents is read ahead, as it lies on the disk: told without a model."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from app.jsonfile import read_json
from app.llm.passages import STATE_SUFFIX
from ingest.catalogue import Entry


@dataclass(frozen=True, slots=True)
class Held:
    """The states of a document."""

    passages: int
    bytes: int


class ReadyStates:
    """What was read ahead, by model; told beside the documents (:class:`~ingest.cli.listing.Beside`)."""

    def __init__(self, home: Path) -> None:
        self._models: dict[str, dict[str, Held]] = {}
        for place in home.glob("passages/*/"):
            model = str(read_json(place / "about.json").get("model", ""))
            found = {each.name: _held(each) for each in place.glob("*/")}
            if _passages(found) > _passages(self._models.get(model, {})):  # the others are of other settings
                self._models[model] = found

    def of_document(self, entry: Entry) -> Mapping[str, Any]:
        """How many of its passages are ready, by model."""
        counts = {model: held[entry.document_id].passages for model, held in self._held_of(entry).items()}
        return {"read_ahead": counts}

    def of_collection(self, entries: Sequence[Entry]) -> Sequence[str]:
        """A line for each model that has read something of it."""
        total = sum(entry.chunks for entry in entries)
        return [
            f"read ahead for {model}: {sum(each.passages for each in held):,} of {total:,} chunks, "
            f"{decimal(sum(each.bytes for each in held))}"
            for model, states in self._models.items()
            if (held := [states[entry.document_id] for entry in entries if entry.document_id in states])
        ]

    def _held_of(self, entry: Entry) -> Mapping[str, Mapping[str, Held]]:
        return {model: states for model, states in self._models.items() if entry.document_id in states}


def _held(folder: Path) -> Held:
    sizes = []
    with suppress(OSError), os.scandir(folder) as files:
        for file in files:
            if file.name.endswith(STATE_SUFFIX):
                with suppress(OSError):
                    sizes.append(file.stat().st_size)
    return Held(len(sizes), sum(sizes))


def _passages(held: Mapping[str, Held]) -> int:
    return sum(each.passages for each in held.values())
