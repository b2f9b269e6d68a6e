"""Passages and a conversation -> what goes into the window, within the budgets of room and time."""

from collections.abc import Sequence

from app.answers import Fitted, Scope
from app.conversation import Conversation
from app.errors import WindowError
from app.llm.engine import Engine, Ready
from app.llm.ledger import Draft
from app.planning import LEAST, Budget, Costs, Plan, Wider, plan
from app.settings import AnsweringSettings
from app.widening import Shelf, collection, documents, sections
from app.wording import asked, nothing_ready
from ingest.documents import Passage

_LARGEST_PART = 0.5
"""Of the free window, for what one question brings beyond its passages: follow-ups want room too."""
_WHOLE_PART = 0.75
"""Of the window, for what stays in it: a whole collection, or what is pinned."""


class Fitter:
    """Knows how much room and time a question has."""

    def __init__(self, engine: Engine, settings: AnsweringSettings, shelf: Shelf | None) -> None:
        """Without a `shelf` a question brings its passages, and never what lies around them."""
        self._engine = engine
        self._settings = settings
        self._shelf = shelf

    @property
    def room(self) -> int:
        """Tokens of the window that are not kept for an answer."""
        return self._engine.window_size - self._settings.answer_tokens

    def free(self, conversation: Conversation) -> int:
        """Tokens that a question may still add."""
        return self.room - len(conversation.ledger.tokens)

    def require_room(self, conversation: Conversation) -> None:
        """Raises :class:`WindowError` if what is pinned leaves too little room for questions."""
        pinned = conversation.ledger.pinned
        if conversation.pinned and pinned > self._engine.window_size * _WHOLE_PART:
            raise WindowError(
                f"What is pinned takes {pinned:,} tokens of a window of {self._engine.window_size:,}: that leaves "
                "too little room for questions.",
                "Pin less (`transom unpin PATH...`), or set a larger window.tokens in the settings.",
            )

    def is_whole(self, conversation: Conversation) -> bool:
        """Whether all that could be found stands in the window; no more if something was ingested since."""
        if conversation.whole and (self._shelf is None or self._shelf.count(conversation.where) != conversation.whole):
            conversation.whole = 0
        return bool(conversation.whole)

    def compact(self, conversation: Conversation) -> None:
        """Begins a full window anew, with the last turns and what they cite."""
        conversation.rebuild(self.room, conversation.ledger.thinking, self._trusted(conversation))

    def fit(
        self, question: str, conversation: Conversation, passages: Sequence[Passage], wished: Scope | None, think: bool
    ) -> tuple[Fitted, Draft]:
        """Chooses what the model is shown for a question; a window that is too full is begun anew first.

        Raises :class:`WindowError` where not even one passage fits.
        """
        if think and not conversation.ledger.thinking and conversation.ledger.dialogue.per_window:
            conversation.rebuild(self.room, thinking=True)
        if self._crowded(question, conversation, passages):
            self.compact(conversation)
        ready = self._ready(question, conversation, passages)
        chosen = self._plan(question, conversation, passages, wished, ready)
        if passages and not chosen.passages:
            raise WindowError(
                "Not even one passage fits into the window with this question.",
                "Set a larger window.tokens, or a smaller chunking.tokens, in the settings.",
            )
        if chosen.scope == "collection" and not chosen.left_out and not conversation.answered:
            self._pin(conversation, chosen.passages)
        draft = conversation.draft(question, chosen.passages, think, ready)
        numbered = conversation.ledger.numbered(chosen.passages)
        return Fitted(numbered, list(chosen.left_out), chosen.scope, chosen.reason), draft

    def _crowded(self, question: str, conversation: Conversation, passages: Sequence[Passage]) -> bool:
        """Whether the window has too little room for the first passages, and would have more if it was begun anew."""
        ledger = conversation.ledger
        free = self.free(conversation) - self._asking(question, conversation)
        costs = [conversation.cost(passage) for passage in passages[:LEAST]]
        grown = len(ledger.tokens) - ledger.pinned > (self.room - ledger.pinned) // 2
        return sum(costs[:1]) > free or (sum(costs) > free and grown)

    def _ready(self, question: str, conversation: Conversation, passages: Sequence[Passage]) -> Ready:
        """Which passages are joined as they were read ahead: none where all can be evaluated in time."""
        if self._settings.read_ahead == "auto":
            patience = self._patience(question, conversation)
            if patience is None or sum(map(conversation.cost, passages)) <= patience:
                return nothing_ready
        return self._trusted(conversation)

    def _trusted(self, conversation: Conversation) -> Ready:
        """Which passages may be joined; left to us, none before a trial has shown that it does no harm."""
        states, wanted = self._engine.states, self._settings.read_ahead
        trusted = wanted == "on" or (wanted == "auto" and states and states.trial and states.trial.passed)
        return self._engine.ready(conversation.ledger.tokens) if trusted else nothing_ready

    def _patience(self, question: str, conversation: Conversation) -> int | None:
        """Tokens that can be evaluated in the time a person waits, besides the question; None if nobody knows."""
        speed = self._engine.speed.prefill
        return int(speed * self._settings.patience) - self._asking(question, conversation) if speed else None

    def _plan(
        self,
        question: str,
        conversation: Conversation,
        passages: Sequence[Passage],
        wished: Scope | None,
        ready: Ready,
    ) -> Plan:
        if conversation.whole:
            return Plan("collection", (), (), "The whole collection is in the window.")
        free = self.free(conversation) - self._asking(question, conversation)
        budget = Budget(self._room_for(free, conversation), self._patience(question, conversation))
        costs = Costs(conversation.cost, lambda passage: conversation.reading(passage, ready))
        return plan(self._wider(conversation, passages), passages, costs, budget, wished)

    def _room_for(self, free: int, conversation: Conversation) -> dict[Scope, int]:
        part = int(free * _LARGEST_PART)
        whole = int(self._engine.window_size * _WHOLE_PART) - len(conversation.ledger.tokens)
        return {"collection": min(free, whole), "documents": part, "sections": part, "passages": free}

    def _wider(self, conversation: Conversation, passages: Sequence[Passage]) -> Wider:
        shelf, room = self._shelf, self._engine.window_size
        if shelf is None:
            return {}
        return {
            "collection": lambda: collection(conversation.where, passages, shelf, room),
            "documents": lambda: documents(passages, shelf),
            "sections": lambda: sections(passages, shelf),
        }

    def _pin(self, conversation: Conversation, passages: Sequence[Passage]) -> None:
        """Shows all there is before the first question: then it stays, and nothing need be retrieved again."""
        known = {passage.chunk.id for passage in conversation.pinned}
        # What was pinned before stays in front: it is read already.
        conversation.pinned += [passage for passage in passages if passage.chunk.id not in known]
        conversation.rebuild(self.room, conversation.ledger.thinking)
        conversation.whole = len(passages)

    @staticmethod
    def _asking(question: str, conversation: Conversation) -> int:
        """Tokens of the question itself, with all that stands around it; a few more where passages are named."""
        ledger = conversation.ledger
        return len(ledger.question(asked(question, ledger.passages, ledger.dialogue)))
