"""Windows on disk: the KV states of token sequences that were evaluated before, to be read back instead of evaluated.

::

    TRANSOM_HOME/windows/
        <key>/              what the states depend on: model file, context, library; others are never looked at
            <hash>.window   see :mod:`app.llm.statefile`
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.llm.statefile import as_array, make_room, name_of, read_head, read_state, write_state
from ingest.errors import TransomError

_SUFFIX = ".window"


@dataclass(frozen=True, slots=True)
class SavedWindow:
    """A window that can be read back."""

    path: Path
    tokens: NDArray[np.int32]
    pinned: bool
    """Kept even if a longer window begins with it."""


class SavedWindows:
    """The saved windows of one model in one setting; together with all others they stay below a limit."""

    def __init__(self, folder: Path, key: str, limit_bytes: int) -> None:
        self._folder = folder
        self._place = folder / blake2b(key.encode(), digest_size=12).hexdigest()
        self._limit = limit_bytes
        self._known = {path: saved for path in self._place.glob(f"*{_SUFFIX}") if (saved := _known(path))}

    def best(self, window: Sequence[int]) -> SavedWindow | None:
        """The longest saved window that `window` begins with."""
        wanted = as_array(window)
        fitting = [saved for saved in self._known.values() if np.array_equal(wanted[: len(saved.tokens)], saved.tokens)]
        return max(fitting, key=lambda saved: len(saved.tokens), default=None)

    def load(self, saved: SavedWindow) -> bytearray | None:
        """The state of a window; None, and forgotten, where its file is gone or damaged."""
        state = read_state(saved.path, saved.tokens)
        if state is None:
            self._forget(saved)
            return None
        with suppress(OSError):
            os.utime(saved.path)  # the last one used is the last one to go
        return state

    def save(self, tokens: Sequence[int], state: bytearray, pinned: bool = False) -> None:
        """Writes a window, in place of those that it continues; the least recently used make room for it.

        Raises :class:`TransomError` where it cannot be written; nothing is lost then but the time to evaluate it.
        """
        if len(state) > self._limit:
            return
        array = as_array(tokens)
        path = self._place / (name_of(array) + _SUFFIX)
        try:
            self._make_room(len(state))
            write_state(path, array, state, pinned=pinned)
        except OSError as error:
            raise TransomError(
                f"The window could not be saved: {error.strerror or error}.", "It is evaluated again when it is needed."
            ) from error
        for earlier in list(self._known.values()):
            if not earlier.pinned and _begins_with(array, earlier.tokens):
                self._forget(earlier)
        self._known[path] = SavedWindow(path, array, pinned)

    def _make_room(self, size: int) -> None:
        """Whatever model they are of: the limit is one for all."""
        for path in make_room(self._folder.glob(f"*/*{_SUFFIX}"), size, self._limit):
            self._known.pop(path, None)

    def _forget(self, saved: SavedWindow) -> None:
        self._known.pop(saved.path, None)
        with suppress(OSError):
            saved.path.unlink(missing_ok=True)


def _known(path: Path) -> SavedWindow | None:
    head = read_head(path)
    return SavedWindow(path, head.tokens, bool(head.marks.get("pinned"))) if head else None


def _begins_with(tokens: NDArray[np.int32], start: NDArray[np.int32]) -> bool:
    return len(start) < len(tokens) and np.array_equal(tokens[: len(start)], start)
