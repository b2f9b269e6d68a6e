"""Files that come through the browser: checked, named safely, and kept where an ingest finds them.

::

    TRANSOM_HOME/uploads/<collection>/<name>

What comes again under the name of another file is kept beside it as `name (2)`, unless it is the same.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from pathvalidate import sanitize_filename

from ingest.errors import ReadError, TransomError, UsageError
from ingest.readers.media_type import PICTURES, media_type_of
from ingest.scan import hash_file, reason_by_name

_LONGEST = 200
"""Bytes of a name, so that a number can be put behind it and every disk takes it."""
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that turn the direction of writing, so that a name looks like another."""


def safe_name(name: str) -> str:
    """The name under which a file that is called `name` elsewhere can lie here: one part, visible, not reserved.

    Raises :class:`UsageError` where nothing of it is left, or an ingest would pass it over.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1].translate(_TURNING)
    stem, ending = os.path.splitext(sanitize_filename(last, platform="universal").strip(" ."))
    room = _LONGEST - len(ending.encode())
    safe = stem.encode()[: max(room, 0)].decode(errors="ignore").strip(" ") + ending
    if not stem or room < 1 or reason_by_name(safe):
        raise UsageError(f"A file cannot be kept under the name {name!r}.", "Rename it and add it again.")
    return safe


def collection_name(name: str) -> str:
    """A new collection's name as it can be a folder's; raises :class:`UsageError` where it cannot."""
    plain = name.strip()
    if not plain or plain.startswith(".") or sanitize_filename(plain, platform="universal") != plain:
        raise UsageError(f"A collection cannot be called {name!r}.", "Use letters, digits, spaces, - and _.")
    return plain


class Uploads:
    """What was uploaded into one home."""

    def __init__(self, home: Path, most_mb: int) -> None:
        self._folder = home / "uploads"
        self._most_mb = most_mb

    def folder(self, collection: str) -> Path:
        """Where the uploads of a collection lie."""
        return self._folder / collection_name(collection)

    def store(self, collection: str, name: str, content: bytes) -> Path:
        """Keeps a file, whole or not at all, and never in place of another; gives where it lies.

        Raises :class:`UsageError` where it is too large or its name cannot be, :class:`ReadError` where it is of no
        kind that Transom reads, and :class:`TransomError` where it cannot be written.
        """
        safe = safe_name(name)
        if len(content) > self._most_mb << 20:
            raise UsageError(f"It is larger than {self._most_mb} MB.", "Add its folder instead, or set chat.upload_mb.")
        folder = self.folder(collection)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return self._put(folder, safe, content)
        except OSError as error:
            raise TransomError(f"It cannot be written: {error.strerror or error}", f"Check {folder}.") from error

    def _put(self, folder: Path, name: str, content: bytes) -> Path:
        ending = Path(name).suffix
        with NamedTemporaryFile(dir=folder, prefix=".", suffix=ending, delete=False) as new:  # a scan passes it over
            new.write(content)
        scratch = Path(new.name)
        try:
            _require_readable(scratch)
            digest = sha256(content).hexdigest()
            for target in _names(folder, name):
                if target.exists() and hash_file(target) == digest:
                    return target
                with suppress(FileExistsError):
                    target.open("xb").close()  # the name is ours now
                    os.replace(scratch, target)
                    return target
        finally:
            scratch.unlink(missing_ok=True)
        raise AssertionError("there are ever more names")


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, ending = os.path.splitext(name)
    number = 2
    while True:
        yield folder / f"{stem} ({number}){ending}"
        number += 1


def _require_readable(file: Path) -> None:
    if media_type_of(file) in PICTURES:
        raise ReadError("It is a picture.", "Add its folder, and let scans and pictures be read, too.")
