"""Files that hold tokens and their KV states: a line of JSON, the tokens (int32), the state as llama.cpp gives it.

A file is written aside and renamed, so it is whole or not there; its checksum is compared before llama.cpp sees it.
"""

import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FORMAT = 1
_INT = np.dtype("<i4")


@dataclass(frozen=True, slots=True)
class Head:
    """What a file tells before its state."""

    tokens: NDArray[np.int32]
    marks: dict[str, Any]
    """What else was written into it."""


def as_array(tokens: Sequence[int]) -> NDArray[np.int32]:
    """Tokens as they are written."""
    return np.asarray(tokens, _INT)


def name_of(tokens: NDArray[np.int32]) -> str:
    """What the file of these tokens is called, but for its suffix."""
    return blake2b(tokens.tobytes(), digest_size=16).hexdigest()


def write_state(path: Path, tokens: NDArray[np.int32], state: bytearray, **marks: object) -> None:
    """Writes a file; raises :class:`OSError` where that cannot be, and then leaves nothing behind."""
    head = {
        "format": _FORMAT,
        "tokens": len(tokens),
        "bytes": len(state),
        "crc": zlib.crc32(state, zlib.crc32(tokens.tobytes())),
        **marks,
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


def read_head(path: Path) -> Head | None:
    """What a file tells; None for one that is none of ours, or not whole."""
    try:
        with path.open("rb") as file:
            head: dict[str, Any] = json.loads(file.readline())
            tokens = np.frombuffer(file.read(head["tokens"] * _INT.itemsize), _INT)
            whole = file.tell() + head["bytes"] == path.stat().st_size
        if head["format"] == _FORMAT and len(tokens) == head["tokens"] and whole:
            return Head(tokens, head)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def read_state(path: Path, expected: NDArray[np.int32]) -> bytearray | None:
    """The state of these tokens in a file; None where the file is gone, damaged, or of other tokens."""
    try:
        with path.open("rb") as file:
            head: dict[str, Any] = json.loads(file.readline())
            tokens = file.read(head["tokens"] * _INT.itemsize)
            state = bytearray(head["bytes"])
            whole = file.readinto(state) == len(state)
        intact = whole and zlib.crc32(state, zlib.crc32(tokens)) == head["crc"]
        return state if intact and tokens == expected.tobytes() else None
    except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError):
        return None


def make_room(files: Iterable[Path], size: int, limit: int) -> list[Path]:
    """Removes the least recently used of the files, until `size` bytes more stay within `limit`; gives what is gone."""
    known = [(path, path.stat()) for path in files]
    known.sort(key=lambda each: each[1].st_mtime)
    held, gone = sum(status.st_size for _, status in known), []
    for path, status in known:
        if held + size <= limit:
            break
        held -= status.st_size
        path.unlink(missing_ok=True)
        gone.append(path)
    return gone
