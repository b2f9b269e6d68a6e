"""Conversations that can be gone on with, also by another process: what was said, and how the window stood."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from app.answers import Turn
from app.conversation import Conversation
from app.database import opened
from app.exchange import Exchange
from app.llm.ledger import LedgerState
from ingest.documents import Passage
from ingest.index import Where

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations(name TEXT PRIMARY KEY, title TEXT, collection TEXT, updated REAL, body TEXT);
CREATE TABLE IF NOT EXISTS exchanges(
    conversation TEXT, position INTEGER, words TEXT, body TEXT, PRIMARY KEY(conversation, position)
) WITHOUT ROWID;
"""
_EXCHANGES = "SELECT body FROM exchanges WHERE conversation = ? ORDER BY position"
_LISTED = """
SELECT name, title, collection, updated FROM conversations
WHERE :words = '' OR instr(lower(title), :words) OR EXISTS (
    SELECT 1 FROM exchanges WHERE conversation = conversations.name AND instr(words, :words)
)
ORDER BY updated DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A window, as it is kept."""

    key: str
    """Of the model and its prompt: for others the tokens of the ledger mean nothing."""
    ledger: LedgerState
    pinned: list[Passage]
    whole: int

    @classmethod
    def of(cls, conversation: Conversation, key: str) -> "Window":
        """What has to be kept of a conversation's window."""
        return cls(key, conversation.ledger.state(), conversation.pinned, conversation.whole)


@dataclass(slots=True)
class Kept:
    """A conversation as it is kept."""

    where: Where
    title: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    window: Window | None = None

    @property
    def turns(self) -> list[Turn]:
        """The questions that were answered."""
        return turns_of(self.exchanges)

    def resume(self, conversation: Conversation, key: str, room: int) -> None:
        """Goes on in a conversation that has just begun.

        With another model or prompt than before its window, of `room` tokens, is begun anew.
        """
        conversation.turns = self.turns
        if self.window is None:
            return
        conversation.pinned = self.window.pinned
        if key == self.window.key:
            conversation.ledger.restore(self.window.ledger)
            conversation.whole = self.window.whole
        else:
            conversation.rebuild(room, conversation.ledger.thinking)


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list."""

    name: str
    title: str
    collection: str
    updated: float
    """Seconds since the epoch."""


_BODY = TypeAdapter(tuple[Where, Window | None])
_EXCHANGE = TypeAdapter(Exchange)


class Conversations:
    """The conversations of one home, by name. Every method raises :class:`TransomError` where its file is unusable."""

    def __init__(self, home: Path) -> None:
        self._file = home / "conversations.db"

    def get(self, name: str) -> Kept | None:
        """The conversation of this name, if there is one. What was not over when its process ended is over now."""
        with self._open() as db:
            row = db.execute("SELECT title, body FROM conversations WHERE name = ?", (name,)).fetchone()
            bodies = db.execute(_EXCHANGES, (name,)).fetchall()
        if row is None:
            return None
        where, window = _BODY.validate_json(row[1])
        exchanges = [_EXCHANGE.validate_json(body) for (body,) in bodies]
        for exchange in exchanges:
            exchange.over = True
        return Kept(where, row[0], exchanges, window)

    def put(self, name: str, kept: Kept) -> float:
        """Keeps a conversation whole; returns the time that :meth:`updated` will say."""
        body = _BODY.dump_json((kept.where, kept.window)).decode()
        now = time.time()
        with self._open() as db, db:
            db.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?)",
                (name, kept.title, kept.where.collection or "", now, body),
            )
            db.execute("DELETE FROM exchanges WHERE conversation = ?", (name,))
            db.executemany("INSERT INTO exchanges VALUES (?, ?, ?, ?)", _rows(name, kept.exchanges))
        return now

    def note(self, name: str, position: int, exchange: Exchange) -> None:
        """Keeps one exchange as it is now; a conversation that is gone stays gone."""
        with self._open() as db, db:
            if db.execute("SELECT 1 FROM conversations WHERE name = ?", (name,)).fetchone():
                db.execute("INSERT OR REPLACE INTO exchanges VALUES (?, ?, ?, ?)", _row(name, position, exchange))

    def updated(self, name: str) -> float:
        """When a conversation was last put; 0 if there is none."""
        with self._open() as db:
            row = db.execute("SELECT updated FROM conversations WHERE name = ?", (name,)).fetchone()
        return float(row[0]) if row else 0.0

    def collection_of(self, name: str) -> str:
        """The collection that a conversation is about; empty if there is none."""
        with self._open() as db:
            row = db.execute("SELECT collection FROM conversations WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def listed(self, words: str = "", most: int = 50) -> list[Listed]:
        """Those in which `words` were said, the newest first."""
        with self._open() as db:
            rows = db.execute(_LISTED, {"words": words.strip().lower(), "most": most}).fetchall()
        return [Listed(*row) for row in rows]

    def rename(self, name: str, title: str) -> None:
        """Gives a conversation another title."""
        with self._open() as db, db:
            db.execute("UPDATE conversations SET title = ? WHERE name = ?", (title, name))

    def delete(self, name: str) -> None:
        """Forgets a conversation."""
        with self._open() as db, db:
            db.execute("DELETE FROM conversations WHERE name = ?", (name,))
            db.execute("DELETE FROM exchanges WHERE conversation = ?", (name,))

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._file, _SCHEMA)


def turns_of(exchanges: Sequence[Exchange]) -> list[Turn]:
    """The exchanges that ended with an answer."""
    return [Turn(each.question, each.standalone or each.question, each.answer) for each in exchanges if each.answer]


def _rows(name: str, exchanges: Sequence[Exchange]) -> Iterator[tuple[str, int, str, str]]:
    return (_row(name, position, exchange) for position, exchange in enumerate(exchanges))


def _row(name: str, position: int, exchange: Exchange) -> tuple[str, int, str, str]:
    said = exchange.answer.text if exchange.answer else exchange.said
    words = f"{exchange.question}\n{said}".lower()
    return name, position, words, _EXCHANGE.dump_json(exchange).decode()
