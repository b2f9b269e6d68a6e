"""SQLite files of a home, each opened for one piece of work at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.errors import TransomError

_PATIENCE = 30.0
"""Seconds to wait for a process that is writing."""


@contextmanager
def opened(file: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """The database in a file, with the tables of `schema`; closed at the end.

    Raises :class:`TransomError` where it cannot be used, also in the middle of the work.
    """
    try:
        with closing(sqlite3.connect(file, timeout=_PATIENCE)) as db:
            db.executescript(schema)
            yield db
    except sqlite3.Error as error:
        raise TransomError(
            f"{file} cannot be used: {error}.", f"If it is damaged, move it away: only {file.stem} are in it."
        ) from error
