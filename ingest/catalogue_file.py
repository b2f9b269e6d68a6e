"""The SQLite file of a catalogue: made, brought up to date, looked through, and its errors told."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import TransomError

_VERSION = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    {columns},
    PRIMARY KEY (document_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_place ON documents (collection, root, uri);
CREATE INDEX IF NOT EXISTS documents_by_content ON documents (sha256);
CREATE TABLE IF NOT EXISTS folders (
    collection, root, disk, found, swept,
    PRIMARY KEY (collection, root)
) WITHOUT ROWID;
CREATE TEMP TABLE seen (document_id PRIMARY KEY) WITHOUT ROWID;
"""


def open_file(path: Path, columns: Sequence[str]) -> sqlite3.Connection:
    """Opens or makes the file whose documents have these columns.

    Raises :class:`TransomError` where it is damaged or cannot be written.
    """
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            _prepare(db, columns)
        except sqlite3.Error:
            db.close()
            raise
    return db


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite become a :class:`TransomError` that says what to do about the file."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, OSError) as error:
        raise TransomError(
            f"The catalogue {path} cannot be used: {error}",
            "Check that its folder can be written and its disk is not full.",
        ) from error
    except sqlite3.Error as error:
        raise TransomError(
            f"The catalogue {path} is damaged: {error}",
            "Make it anew from your documents: `transom ingest --rebuild PATH...`",
        ) from error


def _prepare(db: sqlite3.Connection, columns: Sequence[str]) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.executescript(_SCHEMA.format(columns=", ".join(columns)))
    _migrate(db)
    db.execute(f"PRAGMA user_version = {_VERSION}")
    _check(db)


def _migrate(db: sqlite3.Connection) -> None:
    """Older catalogues knew no warnings or languages; the documents get theirs when they are read again."""
    there = {row[1] for row in db.execute("PRAGMA table_info(documents)")}
    for column in ("warning", "language"):
        if column not in there:
            db.execute(f"ALTER TABLE documents ADD COLUMN {column} DEFAULT ''")
    db.execute("CREATE INDEX IF NOT EXISTS documents_by_language ON documents (collection, language)")


def _check(db: sqlite3.Connection) -> None:
    """SQLite notices damage only where it looks; this looks everywhere (20 ms for 20,000 documents)."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
