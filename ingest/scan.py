"""A folder -> the files worth reading, one by one, without ever holding the whole tree."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from pathspec import GitIgnoreSpec

from ingest.errors import UsageError

_JUNK = ("thumbs.db", "desktop.ini", "~$*", "*.tmp", "*.swp", "*.part", "__pycache__", "node_modules")
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

    def verdict(self, path: Path, is_dir: bool) -> bool | None:
        """True to leave it out, False to keep it against outer rules, None for no opinion."""
        relative = path.relative_to(self.folder).as_posix()
        return self.spec.check_file(relative + "/" if is_dir else relative).include


def scan(root: Path, below: Path | None = None) -> Iterator[File | Ignored]:
    """Walks `root`, or the file or folder `below` it, in the order of names within each folder.

    Links are not followed, so nothing is read twice, outside of `root`, or for ever.
    Raises :class:`UsageError` where there is no such file or folder.
    """
    start = below or root
    try:
        status = start.stat()
    except OSError as error:
        raise UsageError(f"{start} cannot be opened: {error.strerror}.", "Check the spelling of the path.") from error
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(start, root)
    else:
        yield _regular(start, root, status)


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(start: Path, root: Path) -> Iterator[File | Ignored]:
    # A stack, as folders can be nested deeper than Python's calls.
    stack = [_entries(start, root, _rules_above(start, root))]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
        elif isinstance(found, _Folder):
            stack.append(_entries(found.path, root, found.rules))
        else:
            yield found


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    rules: Sequence[_Rules]


def _entries(folder: Path, root: Path, rules: Sequence[_Rules]) -> Iterator[File | Ignored | _Folder]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        inner = [*_rules_in(folder), *rules]
    except OSError as error:
        yield Ignored(_uri(folder, root), f"the folder cannot be opened: {error.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            yield _look_at(entry, path, root, inner)
        except OSError as error:
            yield Ignored(_uri(path, root), f"it cannot be looked at: {error.strerror}")


def _look_at(entry: "os.DirEntry[str]", path: Path, root: Path, rules: Sequence[_Rules]) -> File | Ignored | _Folder:
    is_dir = entry.is_dir(follow_symlinks=False)
    if entry.name.startswith("."):
        reason: str | None = "hidden"
    elif entry.is_symlink():
        reason = _reason_of_link(path, root)
    else:
        reason = _reason_to_skip(path, is_dir, rules)
    if reason:
        return Ignored(_uri(path, root), reason)
    return _Folder(path, rules) if is_dir else _regular(path, root, entry.stat(follow_symlinks=False))


def _regular(path: Path, root: Path, status: os.stat_result) -> File | Ignored:
    if not stat.S_ISREG(status.st_mode):
        return Ignored(_uri(path, root), "neither a file nor a folder")
    return File(path, _uri(path, root), status.st_size, status.st_mtime_ns)


def _reason_of_link(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a missing target; a circle
        return "a link that leads nowhere"
    if not target.is_relative_to(root.resolve()):
        return "a link that leads out of the folder"
    return "a link into the folder, where what it points to is read anyway"


def _reason_to_skip(path: Path, is_dir: bool, rules: Sequence[_Rules]) -> str | None:
    if any(fnmatchcase(path.name.lower(), pattern) for pattern in _JUNK):
        return "junk"
    if is_dir and (path / "pyvenv.cfg").exists():
        return "a Python environment"
    for rule in rules:  # the innermost has the last word
        verdict = rule.verdict(path, is_dir)
        if verdict is not None:
            return f"left out by {rule.name}" if verdict else None
    return None


def _rules_in(folder: Path) -> Iterator[_Rules]:
    """The rules of a folder, Transom's own first, as they have the last word."""
    for name in reversed(_IGNORE_FILES):
        file = folder / name
        if file.is_file():
            lines = file.read_text("utf-8", "replace").splitlines()
            yield _Rules(folder, GitIgnoreSpec.from_lines(filter(_is_pattern, lines)), name)


def _is_pattern(line: str) -> bool:
    """Whether a line makes sense; one that does not is passed over, as git does."""
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _rules_above(start: Path, root: Path) -> list[_Rules]:
    """The rules of the folders from `start` up to `root`, without `start`'s own."""
    between = (folder for folder in start.parents if folder.is_relative_to(root))
    return [rule for folder in between for rule in _rules_in(folder)]


def _uri(path: PurePath, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")
