"""What the paths on the command line stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.catalogue import Catalogue, Entry
from ingest.errors import UsageError
from ingest.scan import uri_of


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, or a file or folder below a known one."""

    root: Path
    below: Path

    @classmethod
    def of(cls, path: Path, known_roots: Sequence[str], missing_ok: bool = False) -> "Source":
        """Documents keep their names: a path below a folder that was ingested before belongs to that folder.

        Raises :class:`UsageError` where there is nothing; with `missing_ok` only if no known folder was above it.
        """
        path = path.expanduser().absolute()
        exists = path.exists()
        if not missing_ok:  # a path that is followed can have become a link; that one is to be left out, not resolved
            path = path.resolve()
        above = next((Path(root) for root in known_roots if path.is_relative_to(root)), None)
        if not exists and (above is None or not missing_ok):
            raise UsageError(f"There is no file or folder {path}.", "Check the spelling of the path.")
        if above is not None:
            return cls(above, path)
        return cls(path if path.is_dir() else path.parent, path)

    @property
    def whole(self) -> bool:
        """Whether it is a whole root, not a part of one."""
        return self.below == self.root

    def covers(self, uri: str) -> bool:
        """Whether a document of this root lies within the part that is meant."""
        return self.whole or _is_at_or_below(uri, uri_of(self.below, self.root))


def _is_at_or_below(uri: str, place: str) -> bool:
    return uri == place or uri.startswith(place + "/")


def lies_in(uri: str, places: Sequence[str]) -> bool:
    """Whether a document lies at or below one of these places; "" is the whole root."""
    return any(not place or _is_at_or_below(uri, place) for place in places)


def meant(entries: Sequence[Entry], path: Path) -> list[Entry]:
    """The documents at or below a path: one on the disk; only if that names none, one as documents are shown."""
    place = path.expanduser().resolve()
    on_disk = [entry for entry in entries if _lies_at(entry, place)]
    return on_disk or [entry for entry in entries if path.parts and _is_at_or_below(entry.uri, path.as_posix())]


def meant_ids(catalogue: Catalogue, collection: str, paths: Sequence[Path]) -> list[str]:
    """The ids of the documents of a collection that are :func:`meant` by any of these paths."""
    entries = list(catalogue.entries(collection))
    return list(dict.fromkeys(entry.document_id for path in paths for entry in meant(entries, path)))


def _lies_at(entry: Entry, place: Path) -> bool:
    if place.is_relative_to(entry.root):
        return lies_in(entry.uri, [uri_of(place, Path(entry.root))])
    return Path(entry.root).is_relative_to(place)
