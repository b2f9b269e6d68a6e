"""Conversations that can be gone on with, also by another process, as they stood in the window."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from app.answers import Turn
from app.conversation import Conversation
from app.llm.ledger import Ledger, LedgerState
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

    def resumed(self, ledger: Ledger, key: str, room: int) -> Conversation:
        """The conversation; with another model or prompt its window, of `room` tokens, is begun anew."""
        conversation = Conversation(self.where, ledger, self.pinned, turns=self.turns)
        if key == self.key:
            ledger.restore(self.ledger)
            conversation.whole = self.whole
        else:
            conversation.rebuild(room, ledger.thinking)
        return conversation


def kept_conversations(home: Path) -> Records[Kept]:
    """The conversations of a home, by name."""
    return Records(home / "conversations.db", TypeAdapter(Kept))
