"""SQLite: conversations that can be gone on with, also by another process, as they stood in the window.

::

    TRANSOM_HOME/conversations.db    conversations(name, updated, body)    body: a :class:`Kept` as JSON
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from app.answers import Turn
from app.conversation import Conversation
from app.llm.ledger import Ledger, LedgerState
from ingest.documents import Passage
from ingest.errors import TransomError
from ingest.index import Where

_SCHEMA = "CREATE TABLE IF NOT EXISTS conversations(name TEXT PRIMARY KEY, updated REAL, body TEXT)"


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation as it is kept."""

    key: str
    """Of the model and its prompt: for others the tokens of the ledger mean nothing."""
    where: Where
    ledger: LedgerState
    pinned: list[Passage]
    whole: int
    turns: list[Turn]

    @classmethod
    def of(cls, conversation: Conversation, key: str) -> "Kept":
        """What has to be kept of a conversation."""
        ledger = conversation.ledger.state()
        return cls(key, conversation.where, ledger, conversation.pinned, conversation.whole, conversation.turns)

    def resumed(self, ledger: Ledger, key: str, room: int) -> Conversation:
        """The conversation; with another model or prompt its window, of `room` tokens, is begun anew."""
        conversation = Conversation(self.where, ledger, self.pinned, turns=self.turns)
        if key == self.key:
            ledger.restore(self.ledger)
            conversation.whole = self.whole
        else:
            conversation.rebuild(room, ledger.thinking)
        return conversation


_BODY = TypeAdapter(Kept)


class Conversations:
    """The conversations of one home, by name."""

    def __init__(self, home: Path) -> None:
        self._path = home / "conversations.db"

    def get(self, name: str) -> Kept | None:
        """The conversation of this name, if there is one."""
        with self._open() as db:
            row = db.execute("SELECT body FROM conversations WHERE name = ?", (name,)).fetchone()
        return _BODY.validate_json(row[0]) if row else None

    def put(self, name: str, kept: Kept) -> None:
        """Keeps a conversation under this name, in place of what was kept there."""
        with self._open() as db, db:
            body = _BODY.dump_json(kept).decode()
            db.execute("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)", (name, time.time(), body))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                db.execute(_SCHEMA)
                yield db
        except sqlite3.Error as error:
            raise TransomError(
                f"Conversations cannot be kept in {self._path}: {error}.",
                "If the file is damaged, move it away: only the conversations are in it.",
            ) from error
