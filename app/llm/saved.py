"""Windows on disk: the KV states of token sequences that were evaluated before, to be read back instead of evaluated.

::

    TRANSOM_HOME/windows/
        <key>/              what the states depend on: model file, context, library; others are never looked at
            <hash>.window   a line of JSON, the tokens (int32), the state as llama.cpp gives it

A file is written aside and renamed, so it is whole or not there; its checksum is compared before llama.cpp sees it.
"""

import json
import os
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TransomError

_FORMAT = 1
_SUFFIX = ".window"
_INT = np.dtype("<i4")


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
        self._known = {path: saved for path in self._place.glob(f"*{_SUFFIX}") if (saved := _read_head(path))}

    def best(self, window: Sequence[int]) -> SavedWindow | None:
        """The longest saved window that `window` begins with."""
        wanted = np.asarray(window, _INT)
        fitting = [saved for saved in self._known.values() if np.array_equal(wanted[: len(saved.tokens)], saved.tokens)]
        return max(fitting, key=lambda saved: len(saved.tokens), default=None)

    def load(self, saved: SavedWindow) -> bytearray | None:
        """The state of a window; None, and forgotten, where its file is gone or damaged."""
        try:
            state = _read_state(saved.path)
        except (OSError, ValueError, KeyError):
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
        array = np.asarray(tokens, _INT)
        path = self._place / (blake2b(array.tobytes(), digest_size=16).hexdigest() + _SUFFIX)
        try:
            self._make_room(len(state))
            _write(path, array, state, pinned)
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
        files = sorted(self._folder.glob(f"*/*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        held = sum(path.stat().st_size for path in files)
        for path in files:
            if held + size <= self._limit:
                return
            held -= path.stat().st_size
            path.unlink()
            self._known.pop(path, None)

    def _forget(self, saved: SavedWindow) -> None:
        self._known.pop(saved.path, None)
        with suppress(OSError):
            saved.path.unlink(missing_ok=True)


def _begins_with(tokens: NDArray[np.int32], start: NDArray[np.int32]) -> bool:
    return len(start) < len(tokens) and np.array_equal(tokens[: len(start)], start)


def _write(path: Path, tokens: NDArray[np.int32], state: bytearray, pinned: bool) -> None:
    head = {
        "format": _FORMAT,
        "tokens": len(tokens),
        "bytes": len(state),
        "pinned": pinned,
        "crc": zlib.crc32(state, zlib.crc32(tokens.tobytes())),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(prefix="new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(head).encode() + b"\n")
            file.write(tokens.tobytes())
            file.write(state)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _read_head(path: Path) -> SavedWindow | None:
    """What a file holds; None for one that is none of ours, or not whole."""
    try:
        with path.open("rb") as file:
            head: dict[str, Any] = json.loads(file.readline())
            tokens = np.frombuffer(file.read(head["tokens"] * _INT.itemsize), _INT)
            whole = file.tell() + head["bytes"] == path.stat().st_size
        if head["format"] == _FORMAT and len(tokens) == head["tokens"] and whole:
            return SavedWindow(path, tokens, bool(head["pinned"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _read_state(path: Path) -> bytearray:
    with path.open("rb") as file:
        head: dict[str, Any] = json.loads(file.readline())
        tokens = file.read(head["tokens"] * _INT.itemsize)
        state = bytearray(head["bytes"])
        if file.readinto(state) != len(state) or zlib.crc32(state, zlib.crc32(tokens)) != head["crc"]:
            raise ValueError("damaged")
    return state
