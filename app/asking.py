"""Questions of the chat are answered in the server: whoever looks may leave, and come back to the answer."""

from collections.abc import Callable
from contextlib import closing
from threading import Event as Flag
from threading import Lock, Thread
from weakref import WeakValueDictionary

from app.answers import AS_SET, Waiting, Wish
from app.assistant import Assistant
from app.errors import unforeseen
from app.exchange import Exchange
from app.talk import Talk
from app.turns import Turns
from ingest.errors import TransomError
from ingest.index import Where

_STOPPING = 10.0
"""Seconds that an answer gets to stop."""


class Asking:
    """The conversations that browsers have open, and the questions that are being answered. Usable from any thread."""

    def __init__(self, turns: Turns, current: Callable[[], Assistant]) -> None:
        """`current` is the assistant as soon as it is open: another one, when other settings are taken up."""
        self._turns = turns
        self._current = current
        self._talks: WeakValueDictionary[str, Talk] = WeakValueDictionary()
        self._running: dict[str, tuple[Flag, Thread]] = {}
        self._lock = Lock()

    def open(self, name: str, where: Where) -> Talk:
        """The conversation of this name: the same for every browser; a new one about `where` if none is kept."""
        assistant = self._current()
        with self._lock:
            talk = self._talks.get(name)
            if talk is None:
                self._talks[name] = talk = assistant.talk(name, where)
        if not talk.open:
            talk.use(assistant)
            talk.refresh()
        return talk

    def ask(self, talk: Talk, question: str, wish: Wish = AS_SET) -> Exchange | None:
        """Begins to answer, as soon as it is this question's turn; None where the one before is not over."""
        with self._lock:
            if talk.open:
                return None
            exchange, stopping = talk.add(question, wish.attempt), Flag()
            work = (talk, exchange, wish, stopping)
            thread = Thread(target=self._answer, args=work, name="answering", daemon=True)
            self._running[talk.name] = stopping, thread
        thread.start()
        return exchange

    def ask_again(self, talk: Talk, position: int, question: str, wish: Wish = AS_SET) -> None:
        """Takes back the question at a position and all behind it, and asks another in its place."""
        if talk.open:
            return
        talk.take_back(position)
        self.ask(talk, question, wish)

    def stop(self, talk: Talk) -> None:
        """Stops the answer of a conversation, at the next token or piece that is read."""
        with self._lock:
            running = self._running.get(talk.name)
        if running:
            running[0].set()

    def forget(self, talk: Talk) -> None:
        """Stops what is being answered in a conversation that is to be deleted, and lets go of it."""
        self.stop(talk)
        with self._lock:
            running = self._running.get(talk.name)
            self._talks.pop(talk.name, None)
        if running:
            running[1].join(_STOPPING)

    def close(self) -> None:
        """Stops all answers, and waits until they are kept as far as they came."""
        with self._lock:
            running = list(self._running.values())
        for stopping, _ in running:
            stopping.set()
        for _, thread in running:
            thread.join(_STOPPING)

    def _answer(self, talk: Talk, exchange: Exchange, wish: Wish, stopping: Flag) -> None:
        try:
            talk.use(self._current())  # before it stands in line: the model is exchanged in a turn of its own
            if self._wait(talk, exchange, stopping):
                try:
                    self._run(talk, exchange, wish, stopping)
                finally:
                    self._turns.end()
        except TransomError as error:
            if not exchange.over:
                talk.drop(exchange, error)
        except Exception as error:
            talk.drop(exchange, unforeseen(error))
        finally:
            if not exchange.over:
                talk.drop(exchange)
            with self._lock:
                self._running.pop(talk.name, None)

    def _wait(self, talk: Talk, exchange: Exchange, stopping: Flag) -> bool:
        """Whether it is this question's turn now; it is not if it was stopped in the line."""
        with closing(self._turns.wait()) as waiting:
            for ahead in waiting:
                if stopping.is_set():
                    return False
                talk.take(exchange, Waiting(ahead))
        return True

    @staticmethod
    def _run(talk: Talk, exchange: Exchange, wish: Wish, stopping: Flag) -> None:
        with closing(talk.answer(exchange, wish)) as events:
            for _ in events:
                if stopping.is_set():
                    return
