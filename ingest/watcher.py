"""Which paths change: `watchfiles`, kept true while folders come and go."""

import os
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import watchfiles

from ingest.errors import TransomError
from ingest.scan import DECISIVE, FolderGoneError, folders

_STEP = 50
"""Milliseconds without a change after which a burst counts as over."""
_BURST = 500
"""Milliseconds after which a burst is told of even if it goes on."""
_TICK = 200
"""Milliseconds after which it is told that nothing changed."""
_RECURSIVE = sys.platform != "linux"
"""Linux is told folder by folder what to watch: by itself it would also watch what is left out, and follow links to
anywhere. Other systems watch a whole tree at the same cost as one folder."""

_NO_UTF8 = "Unable to decode path"
"""So `watchfiles` says that something changed whose name is no UTF-8."""

_Notices = Generator[set[tuple[watchfiles.Change, str]], None, None]


class Watcher:
    """Tells what changed at or below some places since it was last asked. A place stands for all that is in it."""

    def __init__(self, places: Sequence[Path], stop: threading.Event) -> None:
        """Begins to watch; raises :class:`TransomError` where the system does not let it."""
        self._places = places
        self._stop = stop
        self._here = list(map(_identity, places))
        self._watched = frozenset[str]()
        self._notices: _Notices | None = None
        self._disks = {place: here[0] for place, here in zip(places, self._here, strict=True) if here}
        self._unsure = False
        self._renew(anyway=True)

    def changes(self) -> set[Path]:
        """What changed; waits a moment for it."""
        if not self._notices:
            self._stop.wait(_TICK / 1000)
        changed = self._heard(self._notices)
        here = list(map(_identity, self._places))
        changed.update(place for place, old, new in zip(self._places, self._here, here, strict=True) if old != new)
        self._here = here
        moved = any(map(self._is_about_folders, changed))
        return changed | self._renew(moved) if moved or self._unsure else changed

    def check(self, place: Path) -> None:
        """Raises :class:`FolderGoneError` where a place is only the empty mount point of a disk that was taken away."""
        with suppress(OSError):
            disk = place.stat().st_dev
            if disk != self._disks.get(place, disk) and not any(place.iterdir()):
                raise FolderGoneError(f"{place} is empty: its disk was taken away.")
            self._disks[place] = disk

    def close(self) -> None:
        """Ends the watching."""
        if self._notices:
            self._notices.close()

    def _renew(self, anyway: bool) -> set[Path]:
        """Watches the folders that are there by now; returns what could have been missed meanwhile.

        What comes between this look at the folders and the watching is found by another look, the next time.
        """
        now = frozenset(self._folders())
        new = now - self._watched
        self._unsure = anyway or bool(new)
        if not self._unsure:
            return set()
        old, self._notices, self._watched = self._notices, self._begin(now), now
        missed = self._heard(self._notices) | self._heard(old) | set(map(Path, new))
        if old:
            old.close()
        return missed

    def _begin(self, watched: frozenset[str]) -> _Notices | None:
        if not watched:
            return None
        return watchfiles.watch(
            *watched,
            watch_filter=None,  # scan knows what is left out
            debounce=_BURST,
            step=_STEP,
            stop_event=self._stop,
            rust_timeout=_TICK,
            yield_on_timeout=True,
            recursive=_RECURSIVE,
        )

    def _heard(self, notices: _Notices | None) -> set[Path]:
        try:
            paths = {Path(path) for _, path in next(notices, ())} if notices else set()
        except (OSError, RuntimeError) as error:
            if not isinstance(error, FileNotFoundError | PermissionError) and _NO_UTF8 not in str(error):
                reason, *_ = str(error).partition(" about ")
                raise TransomError(f"The folders cannot be watched: {reason}", _LIMIT) from error
            # A folder was closed or went away before it could be watched; or something changed of which the name
            # cannot be told. All has to be watched anew, and looked at.
            self._watched, self._unsure = frozenset(), True
            return set()
        return {path for path in paths if any(map(path.is_relative_to, self._places))}

    def _is_about_folders(self, path: Path) -> bool:
        return path in self._places or str(path) in self._watched or path.name in DECISIVE or path.is_dir()

    def _folders(self) -> Iterator[str]:
        """The folders in which something that matters could change, as far as they can be watched."""
        for place in self._places:
            if not place.is_dir():
                found = iter([place.parent]) if place.exists() else iter(())
            else:
                found = iter([place]) if _RECURSIVE else folders(place)
            with suppress(FolderGoneError):
                yield from filter(_can_be_watched, map(str, found))


def _identity(place: Path) -> tuple[int, int] | None:
    try:
        status = place.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _can_be_watched(folder: str) -> bool:
    """Whether its name is UTF-8, as `watchfiles` wants it, and it may be read."""
    try:
        folder.encode()
    except UnicodeEncodeError:
        return False
    return os.access(folder, os.R_OK)


_LIMIT = (
    "On Linux a limit is the usual cause; raise it with `sudo sysctl fs.inotify.max_user_watches=1048576 "
    "fs.inotify.max_user_instances=1024`, or ingest without --watch from time to time."
)
