"""What this process owns and every browser and client shares: the library, the assistant, and whose turn it is."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from typing import Generic, Protocol, TypeVar

from app.ahead.background import Background
from app.ahead.reader import Reader
from app.ahead.tidying import remove_outdated
from app.asking import Asking
from app.assistant import Assistant
from app.following import Following
from app.inforce import InForce
from app.ingesting import Ingests
from app.models.fetching import Fetching
from app.settings import Settings
from app.sources.sheets import Sheets
from app.turns import Turns
from app.uploads import Uploads
from ingest.library import Library


class _Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closable)


class Shared:
    """Opens library and assistant in the background; one question and one ingest at a time."""

    def __init__(
        self,
        open_library: Callable[[], Library],
        open_assistant: Callable[[Library], Assistant],
        in_force: InForce | None = None,
    ) -> None:
        """`in_force` are the settings of library and assistant; by default those that are set."""
        self._in_force = in_force or InForce(Settings.load())
        self.ingests = Ingests(self._tidy_up)
        self.following = Following(self.settings.home, self.library, self.ingests)
        self.uploads = Uploads(self.settings.home, self.settings.chat.upload_mb)
        self.fetching = Fetching(self.settings.models_folder)
        self.turns = Turns()
        """Whose question is answered."""
        self.asking = Asking(self.turns, self.assistant)
        self.sheets = Sheets()
        self.local = False
        """Whether browsers on this machine only reach the chat: then it may open files on the screen."""
        self.ahead = Background(self._reader, self.turns, self.ingests)
        """Reads while nobody asks anything."""
        self._library = _Opening(open_library)
        self._assistant = _Opening(lambda: open_assistant(self._library.result()))

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._in_force.settings

    def library(self) -> Library:
        """The library, as soon as it is open. What failed before is tried again; raises what stands in the way."""
        self._library.again()
        return self._library.result()

    def assistant(self) -> Assistant:
        """The assistant, as soon as it is open; raises what stood in the way of opening it."""
        return self._assistant.result()

    def open_again(self) -> None:
        """Tries once more what failed to open."""
        self._library.again()
        self._assistant.again()

    def reload(self) -> None:
        """Takes up what was written into the settings, and loads the model anew when nobody is being answered.

        Raises :class:`~ingest.errors.SettingsError` where these settings cannot be.
        """
        self._in_force.take_up(Settings.load())
        self._assistant.anew(self._alone)

    def close(self) -> None:
        """Ends what runs and closes what is open. What is still being opened is left to the end of the process."""
        self.ahead.close()
        self.asking.close()
        self.sheets.close()
        self.fetching.stop()
        self.following.close()
        self.ingests.close()
        for opening in (self._assistant, self._library):
            opening.close()

    def _reader(self) -> Reader | None:
        assistant = self._assistant.opened()
        return assistant.reader if assistant else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody uses the model within it."""
        with self.turns.turn(lambda _: None), self.ahead.apart():
            yield

    def _tidy_up(self) -> None:
        """Documents that an ingest has removed leave no states behind."""
        if (self.settings.home / "passages").is_dir():
            changed = self.settings.answering.read_ahead == "off"  # else a reader sees to those
            remove_outdated(self.settings.home, self.library().catalogue, changed)


class _Opening(Generic[T]):
    """Something that takes seconds to open."""

    def __init__(self, open_it: Callable[[], T]) -> None:
        self._open = open_it
        self._future: Future[T]
        self._begin()

    def result(self) -> T:
        return self._future.result()

    def opened(self) -> T | None:
        """What is open now."""
        return self._future.result() if self._future.done() and not self._future.exception() else None

    def again(self) -> None:
        if self._future.done() and self._future.exception():
            self._begin()

    def anew(self, alone: Callable[[], AbstractContextManager[None]]) -> None:
        """Closes what is open, while nobody uses it, and opens it once more; until then everybody waits for that."""
        before, future = self._future, Future[T]()
        self._future = future
        Thread(target=self._replace, args=(before, future, alone), name="opening", daemon=True).start()

    def close(self) -> None:
        if opened := self.opened():
            opened.close()

    def _begin(self) -> None:
        self._future = Future[T]()
        # A daemon, because a model that takes a minute to load must not hold up Ctrl-C.
        Thread(target=self._fulfil, args=(self._future,), name="opening", daemon=True).start()

    def _replace(self, before: Future[T], future: Future[T], alone: Callable[[], AbstractContextManager[None]]) -> None:
        with alone():
            if not before.exception():
                before.result().close()  # before the next is opened: there need not be room for both
        self._fulfil(future)

    def _fulfil(self, future: Future[T]) -> None:
        try:
            future.set_result(self._open())
        except BaseException as error:  # whoever asks for the result gets it
            future.set_exception(error)


_shared: Shared | None = None


def share(
    open_library: Callable[[], Library],
    open_assistant: Callable[[Library], Assistant],
    in_force: InForce | None = None,
) -> Shared:
    """Begins to open library and assistant of this process."""
    global _shared  # noqa: PLW0603 - a page is a script: nothing can be handed to it
    _shared = Shared(open_library, open_assistant, in_force)
    return _shared


def shared() -> Shared:
    """What :func:`share` made."""
    assert _shared is not None, "the chat is started by app.server"
    return _shared
