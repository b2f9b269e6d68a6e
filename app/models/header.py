"""Reads the header of a GGUF file: its metadata and where its tensors lie, without loading either.

Ours because it must be quick (a vocabulary of 262,144 words is stepped over, not read) and must survive any
bytes: llama.cpp is only ever handed files that passed through here.
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from app.errors import ModelError

MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An array that was stepped over: strings, or very many numbers."""

    count: int


Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...] | Skipped


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies in the file."""

    name: str
    shape: tuple[int, ...]
    type: int
    """Of ggml's types, by number."""
    start: int
    """Byte in the file."""

    @property
    def end(self) -> int:
        """The byte after its last; :attr:`start` where its type is unknown here."""
        per_block, size = QUANTS.get(self.type, (1, 0))
        return self.start + prod(self.shape) // per_block * size


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of itself."""

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]


def read_header(path: Path) -> Header:
    """The header of the file. Raises :class:`ModelError` where it is missing, damaged or no GGUF."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(data, path.name)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}.", _FETCH) from error
    except ValueError as error:  # an empty file cannot be mapped
        raise ModelError(f"{path.name} is empty.", _FETCH) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error


def _parse(data: mmap.mmap, name: str) -> Header:
    if data[:4] != MAGIC:
        raise ModelError(f"{name} is not a GGUF file.", "Transom runs models in llama.cpp's GGUF format only.")
    try:
        return _Cursor(data).header()
    except (_Damaged, UnicodeDecodeError) as error:
        raise ModelError(f"{name} is damaged or incomplete: {error}.", _FETCH) from error


_FETCH = "Fetch it again: `transom models pull NAME`."
_MOST_NUMBERS = 4096
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32, _U64 = _SCALARS[4], _SCALARS[10]
_STRING, _ARRAY = 8, 9

# fmt: off
QUANTS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}
# fmt: on
"""ggml's types by number: how many weights make a block, and how many bytes it takes."""


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    """These bytes cannot be a whole GGUF header."""


class _Cursor:
    """Steps through the bytes; never beyond their end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._size = len(data)
        self._at = 4

    def header(self) -> Header:
        version = self._number(_U32)
        if version not in (2, 3):
            raise _Damaged(f"it claims to be version {version} of the format")
        tensors, entries = self._number(_U64), self._number(_U64)
        metadata = dict(self._entry() for _ in range(entries))
        found = [self._tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise _Damaged("its alignment is impossible")
        data = -(-self._at // alignment) * alignment
        return Header(version, metadata, tuple(Tensor(n, s, t, data + offset) for n, s, t, offset in found))

    def _entry(self) -> tuple[str, Value]:
        key, kind = self._name(), self._number(_U32)
        return key, self._array() if kind == _ARRAY else self._scalar(kind)

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self._name(), self._number(_U32)
        if dimensions > 4:
            raise _Damaged(f"a tensor has {dimensions} dimensions")
        shape = tuple(self._number(_U64) for _ in range(dimensions))
        return name, shape, self._number(_U32), self._number(_U64)

    def _array(self) -> Value:
        kind, count = self._number(_U32), self._number(_U64)
        if kind == _STRING:
            self._skip_strings(count)
            return Skipped(count)
        if count <= _MOST_NUMBERS:
            return tuple(self._scalar(kind) for _ in range(count))
        self._skip(count * self._layout(kind).size)
        return Skipped(count)

    def _scalar(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self._text()
        value: Scalar = self._layout(kind).unpack_from(self._data, self._skip(self._layout(kind).size))[0]
        return value

    def _layout(self, kind: int) -> struct.Struct:
        if kind not in _SCALARS:
            raise _Damaged(f"it holds a value of the unknown type {kind}")
        return _SCALARS[kind]

    def _number(self, layout: struct.Struct) -> int:
        return int(layout.unpack_from(self._data, self._skip(layout.size))[0])

    def _name(self) -> str:
        name = self._text()
        if not name:
            raise _Damaged("a name in it is empty")  # as in a file whose space was reserved and never written
        return name

    def _text(self) -> str:
        length = self._number(_U64)
        start = self._skip(length)
        return self._data[start : start + length].decode()

    def _skip_strings(self, count: int) -> None:
        # The one loop that runs once for each word of the vocabulary.
        read, data, at, last = _U64.unpack_from, self._data, self._at, self._size - 8
        for _ in range(count):
            if at > last:
                raise _Damaged("it ends within its header")
            at += 8 + read(data, at)[0]
        self._at = at
        self._skip(0)

    def _skip(self, count: int) -> int:
        """Goes on by so many bytes; gives where it was."""
        start = self._at
        self._at += count
        if self._at > self._size:
            raise _Damaged("it ends within its header")
        return start
