"""A conversation that is kept: its questions are answered here, for the command line and for the chat."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from threading import Condition
from typing import Protocol, cast

from app.answers import AS_SET, Event, Token, Wish
from app.conversation import Conversation
from app.conversations import Conversations, Kept, Window, turns_of
from app.exchange import Exchange, Verdict
from app.meter import Meter
from ingest.errors import TransomError, UsageError
from ingest.index import Where

_EVERY = 2.0
"""Seconds between two times that an unfinished answer is kept: a killed process loses no more."""
_LONGEST_TITLE = 80
"""Characters."""


class Answering(Protocol):
    """What a conversation needs of an assistant."""

    @property
    def window_key(self) -> str:
        """Of the model and its prompt: what kept tokens belong to."""

    @property
    def room(self) -> int:
        """Tokens of the window that are not kept for an answer."""

    def begin(self, where: Where) -> Conversation:
        """A new conversation, with what is pinned in its window."""

    def answer(self, question: str, conversation: Conversation, wish: Wish = AS_SET) -> Iterator[Event]:
        """The answer to a question of a conversation."""

    def measure(self, conversation: Conversation) -> Meter:
        """The window of a conversation."""


class Talk:
    """One conversation: what was said in it, and the window, which is opened when it is needed.

    One thread at a time may answer; any may look, and wait for news.
    """

    def __init__(self, name: str, where: Where, answering: Answering, store: Conversations) -> None:
        """Goes on with what is kept under this name, wherever that looks; else begins a new one."""
        self.name = name
        self.where = where
        self.title = ""
        self.exchanges: list[Exchange] = []
        self.news = 0
        """Grows with whatever changes."""
        self._changed = Condition()
        self._answering = answering
        self._store = store
        self._kept: Kept | None = None
        self._conversation: Conversation | None = None
        self._updated = 0.0
        self.refresh()

    @property
    def open(self) -> bool:
        """Whether a question is being answered, or waits for it."""
        return any(not exchange.over for exchange in self.exchanges)

    def use(self, answering: Answering) -> None:
        """Goes on with another assistant; with the same one nothing changes."""
        if answering is self._answering:
            return
        if self._conversation is not None:
            window = Window.of(self._conversation, self._answering.window_key)
            self._kept = Kept(self.where, self.title, self.exchanges, window)
        self._answering, self._conversation = answering, None

    def refresh(self) -> None:
        """Takes over what another process has added."""
        updated = self._store.updated(self.name)
        if updated == self._updated or self.open:
            return
        kept = self._store.get(self.name)
        if kept:
            self.where, self.title, self.exchanges = kept.where, kept.title, kept.exchanges
            self._kept, self._conversation, self._updated = kept, None, updated
            self._tell()

    def require(self, where: Where) -> None:
        """Raises :class:`UsageError` where this conversation is about other documents."""
        if where != self.where:
            raise UsageError(
                f"The conversation {self.name!r} is about other documents.",
                "Ask with the same --collection and --in as before, or give it another name.",
            )

    def add(self, question: str, attempt: int = 0) -> Exchange:
        """A new question, which is still to be answered; `attempt` counts the answers that were taken back for it."""
        self.refresh()
        exchange = Exchange(question, attempt=attempt)
        self.title = self.title or " ".join(question.split())[:_LONGEST_TITLE]
        self.exchanges.append(exchange)
        self._keep()
        self._tell()
        return exchange

    def take_back(self, position: int) -> None:
        """Forgets the question at a position and all behind it, so that it can be asked in another way."""
        place = self.exchanges[position].place
        conversation = self.window()
        del self.exchanges[position:]
        conversation.go_back(turns_of(self.exchanges), place, self._answering.room)
        self._keep()
        self._tell()

    def judge(self, position: int, verdict: Verdict | None) -> None:
        """Notes what a person thinks of an answer."""
        self.exchanges[position].verdict = verdict
        self._store.note(self.name, position, self.exchanges[position])

    def rename(self, title: str) -> None:
        """Gives it another title."""
        self.title = " ".join(title.split())[:_LONGEST_TITLE] or self.title
        self._store.rename(self.name, self.title)

    def window(self) -> Conversation:
        """The window, begun or read back when it is first wanted; raises :class:`~app.errors.WindowError`."""
        if self._conversation is None:
            conversation = self._answering.begin(self.where)
            if self._kept:
                self._kept.resume(conversation, self._answering.window_key, self._answering.room)
            self._conversation, self._kept = conversation, None
        return self._conversation

    def begin_anew(self) -> None:
        """Lets go of a window in which nothing was asked yet: something else was pinned."""
        if not self.exchanges:
            self._conversation = None

    def meter(self) -> Meter:
        """The window as it is."""
        return self._answering.measure(self.window())

    def answer(self, exchange: Exchange, wish: Wish = AS_SET) -> Generator[Event]:
        """Answers a question that was added; closing the iterator stops the model, and what it said is kept."""
        kept_at = time.monotonic()
        try:
            conversation = self.window()
            exchange.place = conversation.ledger.place
            stream = self._answering.answer(exchange.question, conversation, wish)
            with closing(cast(Generator[Event, None, None], stream)) as events:
                for event in events:
                    self.take(exchange, event)
                    if isinstance(event, Token) and time.monotonic() - kept_at > _EVERY:
                        kept_at = time.monotonic()
                        self._store.note(self.name, self.exchanges.index(exchange), exchange)
                    yield event
            self._end(exchange)
        except TransomError as error:
            self._end(exchange, error)
            raise
        finally:
            if not exchange.over:
                self._end(exchange)

    def take(self, exchange: Exchange, event: Event) -> None:
        """Notes what happened, for whoever looks."""
        exchange.take(event)
        self._tell()

    def drop(self, exchange: Exchange, problem: TransomError | None = None) -> None:
        """Ends a question that did not come to its turn."""
        self._end(exchange, problem)

    def wait(self, news: int, seconds: float) -> int:
        """Waits until there is more than `news`, but no longer than so many seconds; returns what there is."""
        with self._changed:
            self._changed.wait_for(lambda: self.news != news, seconds)
            return self.news

    def _end(self, exchange: Exchange, problem: TransomError | None = None) -> None:
        if self._conversation is not None:
            exchange.meter = self._answering.measure(self._conversation)
        exchange.end(problem)
        self._keep()
        self._tell()

    def _keep(self) -> None:
        window = self._kept.window if self._kept else None
        if self._conversation is not None:
            window = Window.of(self._conversation, self._answering.window_key)
        self._updated = self._store.put(self.name, Kept(self.where, self.title, self.exchanges, window))

    def _tell(self) -> None:
        with self._changed:
            self.news += 1
            self._changed.notify_all()
