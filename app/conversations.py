"""Conversations that can be gone on with, also by another process, as they stood in the window."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from app.answers import Turn
from app.conversation import Conversation
from app.llm.ledger import LedgerState
from app.records import Records
from ingest.documents import Passage
from ingest.index import Where


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

    def resume(self, conversation: Conversation, key: str, room: int) -> None:
        """Goes on in a conversation that has just begun.

        With another model or prompt than before its window, of `room` tokens, is begun anew.
        """
        conversation.pinned, conversation.turns = self.pinned, self.turns
        if key == self.key:
            conversation.ledger.restore(self.ledger)
            conversation.whole = self.whole
        else:
            conversation.rebuild(room, conversation.ledger.thinking)


def kept_conversations(home: Path) -> Records[Kept]:
    """The conversations of a home, by name."""
    return Records(home / "conversations.db", TypeAdapter(Kept))
