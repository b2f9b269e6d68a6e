"""Folders that are followed: what changes in them is swept again soon after.

The watching begins before the first sweep and goes on behind all later ones, so that no change falls in between.
"""

import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Unpack

from ingest.desk import Ingesting, Wishes
from ingest.errors import UsageError
from ingest.events import Event, Finished, Skipped, Unchanged
from ingest.scan import DECISIVE, FolderGoneError, Found, Ignored, reason_by_name, scan, uri_of
from ingest.watcher import Watcher

_REST = 5.0
"""Seconds after which a file is swept even if it never comes to rest."""
_MANY = 200
"""Changes that are swept one by one; more are swept as the folder around them."""
_SURE = 600.0
"""Seconds after which everything is swept: not every disk tells of its changes, least of all one in a network."""


def watch(
    library: Ingesting, paths: Sequence[Path], collection: str, stop: threading.Event, **wishes: Unpack[Wishes]
) -> Iterator[Event]:
    """Ingests files and folders, then follows their changes until `stop` is set; the events are those of ingest.

    Each sweep that did something ends with :class:`Finished`. A folder that goes away is told as
    :class:`Skipped`, and followed again when it is back. Raises :class:`TransomError` where it cannot be watched.
    """
    places = [path.expanduser().resolve() for path in paths]
    with closing(_Follower(places, stop)) as follower:
        yield from library.ingest(paths, collection, **wishes)
        while not stop.is_set():
            if parts := follower.parts():
                yield from _sweep(library, parts, collection, wishes.get("ocr", False), follower)


def _sweep(
    library: Ingesting, parts: Sequence[Path], collection: str, ocr: bool, follower: "_Follower"
) -> Iterator[Event]:
    try:
        follower.check(parts)
        for event in library.ingest(parts, collection, ocr=ocr, missing_ok=True):
            if _tells_something(event):
                yield event
            if follower.stop.is_set():
                return
    except UsageError as error:
        reason = f"{error.message} It is followed again when it is back."
        yield Skipped(", ".join(map(str, parts)), reason, on_purpose=False)


def _tells_something(event: Event) -> bool:
    if isinstance(event, Finished):
        return bool(event.read or event.removed)
    if isinstance(event, Skipped):
        return not event.on_purpose
    return not isinstance(event, Unchanged)


class _Follower:
    """Says what is to be swept, now that so much time has passed and so much has changed."""

    def __init__(self, places: Sequence[Path], stop: threading.Event) -> None:
        self.stop = stop
        self._places = places
        self._watcher = Watcher(places, stop)
        self._restless: dict[Path, float] = {}
        self._left_out: set[tuple[Path, str]] = set()
        self._swept = time.monotonic()

    def parts(self) -> list[Path]:
        """Waits a moment; what is to be swept because it changed and came to rest."""
        changed = self._watcher.changes()
        if time.monotonic() - self._swept > _SURE:
            changed.update(self._places)
            self._swept = time.monotonic()
        return list(filter(self._matters, parts_of(self._at_rest(changed), self._places)))

    def check(self, parts: Sequence[Path]) -> None:
        """Raises :class:`FolderGoneError` where the disk of what is to be swept was taken away."""
        for place in {_place_of(part, self._places) for part in parts}:
            self._watcher.check(place)

    def close(self) -> None:
        """Ends the watching."""
        self._watcher.close()

    def _at_rest(self, changed: Collection[Path]) -> list[Path]:
        """What does not change any more; nothing as long as ever more changes, so that both ends of a move are met."""
        now = time.monotonic()
        spreads = not self._restless.keys() >= set(changed)
        for path in changed:
            self._restless.setdefault(path, now)
        due = [
            path for path, since in self._restless.items() if now - since > _REST or not (spreads or path in changed)
        ]
        for path in due:
            del self._restless[path]
        return due

    def _matters(self, part: Path) -> bool:
        """Whether a sweep could find anything: not where all is left out, and was so the last time."""
        place = _place_of(part, self._places)
        if part == place or part.is_dir():
            self._left_out.clear()  # in it may lie what decides about what is left out
            return True
        uri, found = uri_of(part, place), _first(place, part)
        if not isinstance(found, Ignored):
            self._left_out.discard((place, uri))
            return True
        if found.uri != uri or (place, uri) in self._left_out:
            return False
        self._left_out.add((place, uri))
        return True


def parts_of(changed: Iterable[Path], places: Sequence[Path]) -> list[Path]:
    """The fewest files and folders at or below `places` whose sweep covers all that changed.

    What is gone comes last: if it was moved, its texts are then found in the index, and not embedded again.
    """
    parts = {part for path in changed if (part := _part(path, places))}
    if len(parts) > _MANY:
        parts = {_around(parts, place) for place in {_place_of(part, places) for part in parts}}
    fewest: list[Path] = []
    for part in sorted(parts):
        if not fewest or not part.is_relative_to(fewest[-1]):
            fewest.append(part)
    return sorted(fewest, key=Path.exists, reverse=True)


def _part(path: Path, places: Sequence[Path]) -> Path | None:
    """What to sweep because `path` changed: itself, or the folder it decides about; None where nobody reads it."""
    if path not in places and path.name in DECISIVE:
        path = path.parent
    names = path.relative_to(_place_of(path, places)).parts
    return None if any(map(reason_by_name, names)) else path


def _around(parts: Iterable[Path], place: Path) -> Path:
    return Path(os.path.commonpath([part for part in parts if part.is_relative_to(place)]))


def _place_of(path: Path, places: Sequence[Path]) -> Path:
    return next(place for place in places if path.is_relative_to(place))


def _first(place: Path, part: Path) -> Found | None:
    with suppress(FolderGoneError):
        return next(scan(place, part), None)
    return None
