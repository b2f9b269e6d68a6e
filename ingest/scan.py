"""A folder -> the files worth reading, one by one, without ever holding the whole tree."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pathspec import GitIgnoreSpec

from ingest.errors import UsageError

_JUNK = ("Thumbs.db", "desktop.ini", "~$*", "*.tmp", "*.swp", "*.part", "__pycache__", "node_modules")
_IGNORE_FILES = (".gitignore", ".transomignore")


@dataclass(frozen=True, slots=True)
class File:
    """A regular file that should be read."""

    path: Path
    uri: str
    """Path below the root with forward slashes; bytes that are no UTF-8 stand as \\xNN."""
    size: int
    """Bytes."""
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file or folder that is left out on purpose."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one ignore file says about everything below its folder."""

    folder: Path
    spec: GitIgnoreSpec
    name: str

    def match(self, path: Path, is_dir: bool) -> bool:
        relative = path.relative_to(self.folder).as_posix()
        return self.spec.match_file(relative + "/" if is_dir else relative)


def scan(root: Path, below: Path | None = None) -> Iterator[File | Ignored]:
    """Walks `root`, or the file or folder `below` it, in the order of names.

    Links are not followed: a link to a file inside `root` would read it twice, any other leads out or around.
    Raises :class:`UsageError` where there is no such folder.
    """
    start = below or root
    if not start.exists():
        raise UsageError(f"There is no file or folder {start}.", "Check the spelling of the path.")
    if start.is_dir():
        yield from _walk(start, root, _rules_above(start, root))
    else:
        yield _regular(start, root, start.stat())


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path, root: Path, rules: Sequence[_Rules]) -> Iterator[File | Ignored]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield Ignored(_uri(folder, root), f"the folder cannot be opened: {error.strerror}")
        return
    rules = [*rules, *_rules_in(folder)]
    for entry in entries:
        path = Path(entry.path)
        try:
            is_dir = entry.is_dir(follow_symlinks=False)
            reason = _reason_to_skip(entry, path, is_dir, rules)
            if reason:
                yield Ignored(_uri(path, root), reason)
            elif is_dir:
                yield from _walk(path, root, rules)
            else:
                yield _regular(path, root, entry.stat(follow_symlinks=False))
        except OSError as error:
            yield Ignored(_uri(path, root), f"it cannot be looked at: {error.strerror}")


def _regular(path: Path, root: Path, status: os.stat_result) -> File | Ignored:
    if not stat.S_ISREG(status.st_mode):
        return Ignored(_uri(path, root), "neither a file nor a folder")
    return File(path, _uri(path, root), status.st_size, status.st_mtime_ns)


def _reason_to_skip(entry: "os.DirEntry[str]", path: Path, is_dir: bool, rules: Sequence[_Rules]) -> str:
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_symlink():
        return "a link: what it points to is read where it lies, if that is inside the folder"
    if any(fnmatch(entry.name, pattern) for pattern in _JUNK):
        return "junk"
    if is_dir and (path / "pyvenv.cfg").exists():
        return "a Python environment"
    for rule in rules:
        if rule.match(path, is_dir):
            return f"left out by {rule.name}"
    return ""


def _rules_in(folder: Path) -> Iterator[_Rules]:
    for name in _IGNORE_FILES:
        try:
            lines = (folder / name).read_text("utf-8", "replace").splitlines()
        except OSError:
            continue  # there is none, or it cannot be read: then it says nothing
        yield _Rules(folder, GitIgnoreSpec.from_lines(lines), name)


def _rules_above(start: Path, root: Path) -> list[_Rules]:
    """The rules of the folders between `root` and `start`, without `start`'s own."""
    between = [folder for folder in reversed(start.parents) if folder.is_relative_to(root)]
    return [rule for folder in between for rule in _rules_in(folder)]


def _uri(path: Path, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")
