"""Settings as they are changed on their page: what differs, what it takes until that holds, and the plan for it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.models.geometry import Geometry
from app.models.header import read_header
from app.models.memory import Memory
from app.models.plan import Plan, plan
from app.models.setup import wish_of
from app.settings import Settings

Wanted = Mapping[str, Mapping[str, Any]]
"""By section and name."""

LIVE = ("model", "window", "answering")
"""Sections whose changes are taken up while the chat runs, by loading the model anew."""
_MAKES_VECTORS = ("embedding.model", "embedding.document_prompt", "chunking.tokens", "chunking.overlap")


def changes(settings: Settings, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """What of `wanted` is not set so already; None where it is the default, which need not be written."""
    found: dict[str, dict[str, Any]] = {}
    for section, name, value in _each(wanted):
        if value != getattr(getattr(settings, section), name):
            found.setdefault(section, {})[name] = None if value == _default(section, name) else value
    return found


def with_wanted(settings: Settings, wanted: Wanted) -> Settings:
    """The settings as they would be."""
    sections = {name: getattr(settings, name).model_copy(update=dict(values)) for name, values in wanted.items()}
    return settings.model_copy(update=sections)


def consequences(changed: Wanted, chunks: int) -> list[str]:
    """What a person should know before these changes are saved; `chunks` is how many would be embedded anew."""
    told = []
    if any(f"{section}.{name}" in _MAKES_VECTORS for section, name, _ in _each(changed)):
        told.append(
            f"Another embedder understands none of the vectors that are there: the index has to be made anew, and all "
            f"{chunks:,} chunks are embedded again. Stop the chat, then run `transom ingest --rebuild PATH...` "
            f"for each of your folders."
        )
    elif any(section not in LIVE for section in changed):
        told.append("It takes effect when Transom is started the next time.")
    if any(section in LIVE for section in changed):
        told.append("The model is loaded anew, which takes some seconds; conversations are kept.")
    return told


def planned(path: Path, settings: Settings, memory: Memory) -> Plan:
    """How the model in a file would run with these settings.

    Raises :class:`~app.errors.ModelError` where the file says too little, or a wish cannot be granted.
    """
    from app.llm.runtime import BATCH  # brings llama.cpp

    status = path.stat()
    return plan(_geometry(path, status.st_size, status.st_mtime_ns), memory, wish_of(settings), BATCH)


@lru_cache(maxsize=4)
def _geometry(path: Path, _size: int, _changed: int) -> Geometry:
    return Geometry.of(read_header(path))


def _default(section: str, name: str) -> Any:
    return getattr(Settings.model_fields[section].default, name)


def _each(wanted: Wanted) -> Iterator[tuple[str, str, Any]]:
    for section, values in wanted.items():
        for name, value in values.items():
            yield section, name, value
