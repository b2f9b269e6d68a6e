"""SQLite: values of one kind, each under its name, as JSON."""

import sqlite3
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from app.database import opened

T = TypeVar("T")

_SCHEMA = "CREATE TABLE IF NOT EXISTS records(name TEXT PRIMARY KEY, updated REAL, body TEXT)"
_OLDEST = "DELETE FROM records WHERE name NOT IN (SELECT name FROM records ORDER BY updated DESC LIMIT ?)"


class Records(Generic[T]):
    """The records in one file. Every method raises :class:`TransomError` where it cannot be used."""

    def __init__(self, file: Path, kind: TypeAdapter[T], most: int | None = None) -> None:
        """With `most`, the oldest go when there are more."""
        self._file = file
        self._kind = kind
        self._most = most

    def get(self, name: str) -> T | None:
        """The record of this name, if there is one."""
        return self._first("SELECT body FROM records WHERE name = ?", name)

    def newest(self) -> T | None:
        """The one that was put last, if there is any."""
        return self._first("SELECT body FROM records ORDER BY updated DESC LIMIT 1")

    def put(self, name: str, value: T) -> None:
        """Keeps a record under this name, in place of what was kept there."""
        body = self._kind.dump_json(value).decode()
        with self._open() as db, db:
            db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (name, time.time(), body))
            if self._most is not None:
                db.execute(_OLDEST, (self._most,))

    def _first(self, query: str, *values: str) -> T | None:
        with self._open() as db:
            row = db.execute(query, values).fetchone()
        return self._kind.validate_json(row[0]) if row else None

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._file, _SCHEMA)
