"""A folder -> the files worth reading, one by one, without ever holding the whole tree.

Places are strings here: a folder may hold very many files, and most are only compared with what is known.
"""

import errno
import fnmatch
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from ingest.errors import UsageError

_JUNK = ("thumbs.db", "desktop.ini", "~$*", "*.tmp", "*.swp", "*.part", "__pycache__", "node_modules")
_is_junk = re.compile("|".join(map(fnmatch.translate, _JUNK)), re.IGNORECASE).match

_IGNORE_FILES = (".gitignore", ".transomignore")
"""The later one has the last word."""
_ENVIRONMENT = "pyvenv.cfg"

DECISIVE = (*_IGNORE_FILES, _ENVIRONMENT)
"""Names of files that decide what of their folder is left out."""

KEPT = "Check the spelling of the path, and that its disk is there. What was read of it before is kept."


class FolderGoneError(UsageError):
    """The folder to be scanned is not there, or went away meanwhile."""


@dataclass(frozen=True, slots=True)
class File:
    """A regular file that should be read."""

    location: str
    """Where it lies, as the operating system names it."""
    uri: str
    """Path below the root, as :func:`uri_of` writes it."""
    size: int
    """Bytes."""
    mtime_ns: int

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file or folder that is left out on purpose."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that could not be looked at: what is at or below it may well still exist."""

    uri: str
    reason: str


Found = File | Ignored | Unreadable


def scan(root: Path, below: Path | None = None) -> Iterator[Found]:
    """Walks `root`, or of it only the file or folder `below`, in the order of names within each folder.

    What lies in a folder that is left out is left out too, even if it is named as `below`. Links are not followed, so
    nothing is read twice, outside of `root`, or for ever. What vanishes during the walk is passed over. Raises
    :class:`FolderGoneError` where `root` is no folder that can be opened, or its disk was taken away meanwhile.
    """
    yield from (found for found in _walk(root, below) if not isinstance(found, _Folder))


def folders(root: Path) -> Iterator[Path]:
    """The folders that :func:`scan` would look into, `root` itself among them."""
    yield root
    yield from (Path(found.location) for found in _walk(root, None) if isinstance(found, _Folder))


def count(root: Path, below: Path | None = None) -> tuple[int, int]:
    """How many files :func:`scan` would find, and their bytes."""
    sizes = [found.size for found in scan(root, below) if isinstance(found, File)]
    return len(sizes), sum(sizes)


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def uri_of(path: Path, root: Path) -> str:
    """The path below `root` with forward slashes; a byte that is no UTF-8 stands as \\xNN, a backslash as two."""
    return "/".join(map(_printable, path.relative_to(root).parts))


def reason_by_name(name: str) -> str | None:
    """Why a file or folder of this name is left out wherever it lies, if it is."""
    if name.startswith("."):
        return "hidden"
    return "junk" if _is_junk(name) else None


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one ignore file says about everything below its folder."""

    folder: str
    spec: GitIgnoreSpec
    name: str

    def verdict(self, location: str, is_dir: bool) -> bool | None:
        """True to leave it out, False to keep it against outer rules, None for no opinion."""
        relative = location[len(self.folder) :].lstrip(os.sep)
        return self.spec.check_file(relative + os.sep if is_dir else relative).include


@dataclass(frozen=True, slots=True)
class _Folder:
    location: str
    uri: str
    rules: Sequence[_Rules]
    """Of the folders around it, the innermost first."""


def _walk(root: Path, below: Path | None) -> Iterator[Found | _Folder]:
    device = disk_of(root)
    parts = below.relative_to(root).parts if below else ()
    # A stack, as folders can be nested deeper than Python's calls.
    stack = [_entries(_Folder(str(root), "", ()), root, parts)]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            continue
        if isinstance(found, File) and len(stack) < len(parts):
            continue  # `below` would lie below a file
        if isinstance(found, _Folder):
            stack.append(_entries(found, root, parts[len(stack) :]))
        yield found
    if disk_of(root) != device:
        raise FolderGoneError(f"The disk of {root} was taken away meanwhile.", KEPT)


def _entries(folder: _Folder, root: Path, parts: Sequence[str]) -> Iterator[Found | _Folder]:
    """What is in a folder, or of it only the first of `parts`."""
    try:
        if folder.uri and os.path.exists(os.path.join(folder.location, _ENVIRONMENT)):
            yield Ignored(folder.uri, "a Python environment")
            return
        names = parts[:1] or sorted(os.listdir(folder.location), key=os.fsencode)
        rules = [*_rules_in(folder.location), *folder.rules]
    except OSError as error:
        yield from _unreadable(folder.uri, root, error)
        return
    for name in names:
        location = os.path.join(folder.location, name)
        uri = f"{folder.uri}/{_printable(name)}" if folder.uri else _printable(name)
        try:
            yield _look_at(name, location, uri, root, rules)
        except OSError as error:
            yield from _unreadable(uri, root, error)


def _look_at(name: str, location: str, uri: str, root: Path, rules: Sequence[_Rules]) -> Found | _Folder:
    if reason := reason_by_name(name):
        return Ignored(uri, reason)
    status = os.lstat(location)
    is_dir = stat.S_ISDIR(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        reason = _reason_of_link(location, root)
    elif rules and (rule := _rule_against(location, is_dir, rules)):
        reason = f"left out by {rule.name}"
    elif is_dir:
        return _Folder(location, uri, rules)
    elif stat.S_ISREG(status.st_mode):
        return File(location, uri, status.st_size, status.st_mtime_ns)
    else:
        reason = "neither a file nor a folder"
    return Ignored(uri, reason)


def _unreadable(uri: str, root: Path, error: OSError) -> Iterator[Unreadable]:
    """What an error says about a place: if it is only gone there is nothing to tell, and of the root it is the end."""
    if not uri:
        raise _gone(root, error) from error
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        yield Unreadable(uri, f"it cannot be opened: {error.strerror or error}")


def disk_of(root: Path) -> int:
    """The disk a folder is on: when it is taken away, its mount point may stay as an empty folder on another.

    Raises :class:`FolderGoneError` where there is no such folder.
    """
    try:
        status = root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        raise _gone(root, error) from error
    return status.st_dev


def _gone(root: Path, error: OSError) -> FolderGoneError:
    return FolderGoneError(f"{root} cannot be opened: {error.strerror or error}.", KEPT)


def _reason_of_link(location: str, root: Path) -> str:
    try:
        target = Path(location).resolve(strict=True)
    except (OSError, RuntimeError):  # a missing target; a circle
        return "a link that leads nowhere"
    if not target.is_relative_to(root.resolve()):
        return "a link that leads out of the folder"
    return "a link into the folder, where what it points to is read anyway"


def _rule_against(location: str, is_dir: bool, rules: Sequence[_Rules]) -> _Rules | None:
    """The rule that leaves a place out, if the innermost one with an opinion does."""
    for rule in rules:
        verdict = rule.verdict(location, is_dir)
        if verdict is not None:
            return rule if verdict else None
    return None


def _rules_in(folder: str) -> Iterator[_Rules]:
    for name in reversed(_IGNORE_FILES):
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            lines = Path(file).read_text("utf-8", "replace").splitlines()
            if patterns := list(filter(_is_pattern, lines)):
                yield _Rules(folder, GitIgnoreSpec.from_lines(patterns), name)


def _is_pattern(line: str) -> bool:
    """Whether a line is a rule; one that makes no sense is passed over, as git does."""
    try:
        return any(pattern.include is not None for pattern in GitIgnoreSpec.from_lines([line]).patterns)
    except (ValueError, re.error):
        return False


def _printable(name: str) -> str:
    if name.isascii() and "\\" not in name:
        return name  # nearly always
    return os.fsencode(name.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")
