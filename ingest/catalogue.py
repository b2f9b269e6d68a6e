"""SQLite: every file ever seen, and how its ingest went.

The catalogue is what makes ingest repeatable. A row is written as `indexing` before a document's first chunk is
stored and turned into `indexed` after its last, so that a run that was killed in between is seen, and undone, by
the next one.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, Self

from ingest.catalogue_file import open_file, translated
from ingest.settings import IngestSettings

State = Literal["indexing", "indexed", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one file."""

    document_id: str
    collection: str
    root: str
    """The ingested folder, absolute."""
    uri: str
    """Path below `root`, as it is shown and cited."""
    size: int
    """Bytes."""
    mtime_ns: int
    sha256: str
    state: State
    reason: str = ""
    """Why it failed, for a person."""
    hint: str = ""
    title: str = ""
    media_type: str = ""
    pages: int = 0
    """0 where the format has no pages."""
    chunks: int = 0
    warning: str = ""
    """What the document hides from its readers, for a person; empty where nothing was found."""
    language: str = ""
    """ISO 639-1 code; empty where it is not clear."""


class Coverage(NamedTuple):
    """How much of some folders is read, while a run goes on or after it was stopped."""

    read: int
    """Files, failed ones among them."""
    found: int
    """Files."""

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.read / self.found


_COLUMNS = tuple(field.name for field in fields(Entry))


class Catalogue:
    """The catalogue of one index. Usable from several threads; every call is one transaction of its own."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file; raises :class:`TransomError` where it is damaged or cannot be written."""
        self._path = path
        self._db = open_file(path, _COLUMNS)

    def get(self, document_id: str) -> Entry | None:
        """The entry of a document, if it was ever seen."""
        return next(self._select("document_id = ?", document_id), None)

    def twin(self, entry: Entry) -> Entry | None:
        """Another document that is stored, with the same content."""
        same = "sha256 = ? AND document_id != ? AND state = 'indexed'"
        return next(self._select(same, entry.sha256, entry.document_id), None)

    def put(self, entry: Entry) -> None:
        """Writes an entry in place of the one before."""
        marks = ", ".join("?" * len(_COLUMNS))
        with translated(self._path):
            self._db.execute(
                f"INSERT OR REPLACE INTO documents ({', '.join(_COLUMNS)}) VALUES ({marks})", astuple(entry)
            )

    def change(self, entry: Entry, **values: object) -> None:
        """Writes `entry` with some of its fields replaced."""
        self.put(replace(entry, **values))  # type: ignore[arg-type]

    def drop(self, document_id: str) -> None:
        """Forgets a document."""
        with translated(self._path):
            self._db.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))

    def forget_indexed(self) -> None:
        """Forgets every document that holds chunks, because the index does not hold them."""
        with translated(self._path):
            self._db.execute("DELETE FROM documents WHERE chunks > 0")

    def entries(self, collection: str | None = None) -> Iterator[Entry]:
        """All entries, or those of one collection, in the order of their place."""
        if collection is None:
            return self._select("TRUE")
        return self._select("collection = ?", collection)

    def collections(self) -> dict[str, int]:
        """Each collection with the number of its indexed documents."""
        query = "SELECT collection, sum(state = 'indexed') FROM documents GROUP BY collection ORDER BY 1"
        with translated(self._path):
            return dict(self._db.execute(query).fetchall())

    def languages(self, collection: str | None = None) -> list[str]:
        """The languages of the documents in all collections, or in one."""
        query = "SELECT DISTINCT language FROM documents"
        values = () if collection is None else (collection,)
        with translated(self._path):
            rows = self._db.execute(f"{query} WHERE collection = ?" if values else query, values).fetchall()
        return [language for (language,) in rows]

    def roots(self, collection: str) -> list[str]:
        """The folders that were ingested into a collection, those that hold no document now among them."""
        query = (
            "SELECT root FROM documents WHERE collection = ?1 UNION "
            "SELECT root FROM folders WHERE collection = ?1 ORDER BY 1"
        )
        with translated(self._path):
            return [root for (root,) in self._db.execute(query, (collection,))]

    def start_sweep(self) -> None:
        """Forgets which documents were marked as seen."""
        with translated(self._path):
            self._db.execute("DELETE FROM seen")

    def mark_seen(self, document_id: str) -> None:
        """Marks a document as found by the present sweep."""
        with translated(self._path):
            self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (document_id,))

    def unmark_seen(self, document_id: str) -> None:
        """Takes the mark away: the file has vanished since."""
        with translated(self._path):
            self._db.execute("DELETE FROM seen WHERE document_id = ?", (document_id,))

    def unseen(self, collection: str, root: str) -> Iterator[Entry]:
        """The entries below `root` that the present sweep did not find."""
        return self._select(
            "collection = ? AND root = ? AND document_id NOT IN (SELECT document_id FROM seen)",
            collection,
            root,
        )

    def disk(self, collection: str, root: str) -> int | None:
        """The disk a folder was on when it was swept last, as :func:`~ingest.scan.disk_of` names it."""
        query = "SELECT disk FROM folders WHERE collection = ? AND root = ?"
        with translated(self._path):
            row = self._db.execute(query, (collection, root)).fetchone()
        return None if row is None else int(row[0])

    def expect(self, collection: str, root: str, disk: int, found: int) -> None:
        """Notes that a sweep of a folder has begun, and how many files it is going to meet."""
        with translated(self._path):
            self._db.execute(
                "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?, FALSE)", (collection, root, disk, found)
            )

    def end_sweep(self, collection: str, root: str) -> None:
        """Notes that every file of a folder has been met."""
        with translated(self._path):
            self._db.execute("UPDATE folders SET swept = TRUE WHERE collection = ? AND root = ?", (collection, root))

    def forget_folders(self, collection: str) -> None:
        """Forgets what was noted of a collection's folders."""
        with translated(self._path):
            self._db.execute("DELETE FROM folders WHERE collection = ?", (collection,))

    def forget_folder(self, collection: str, root: str) -> None:
        """Forgets what was noted of one folder."""
        with translated(self._path):
            self._db.execute("DELETE FROM folders WHERE collection = ? AND root = ?", (collection, root))

    def coverage(self, collection: str) -> Coverage | None:
        """How much of a collection's folders is read; None if all is, or as long as nobody has counted."""
        query = "SELECT sum(found), min(swept) FROM folders WHERE collection = ?"
        settled = "SELECT count(*) FROM documents WHERE collection = ? AND state != 'indexing'"
        with translated(self._path):
            found, swept = self._db.execute(query, (collection,)).fetchone()
            (read,) = self._db.execute(settled, (collection,)).fetchone()
        return None if found is None or swept or read >= found else Coverage(read, found)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _select(self, where: str, *values: object) -> Iterator[Entry]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM documents WHERE {where} ORDER BY collection, root, uri"
        with translated(self._path):
            rows = self._db.execute(query, values).fetchall()
        return (Entry(*row) for row in rows)


def catalogue_path(settings: IngestSettings) -> Path:
    """Each index has a catalogue of its own: what is in one home need not be in the other."""
    storage = settings.storage
    if storage.home == "embedded":
        name = "embedded"
    else:
        name = "server-" + sha256(f"{storage.url}\0{storage.name}".encode()).hexdigest()[:12]
    return settings.home / "index" / name / "catalogue.sqlite"
