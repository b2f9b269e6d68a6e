"""Folders that the chat follows: what changes in them is read soon after, as long as the chat is open.

::

    TRANSOM_HOME/followed.json    {collection: [absolute paths of folders]}
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import Unpack, cast

from app.errors import unforeseen
from app.ingesting import Ingests, StoppedError
from app.jsonfile import read_json, write_json
from ingest.desk import Ingesting, Wishes
from ingest.errors import TransomError
from ingest.events import Event
from ingest.watch import watch

_AGAIN = 30.0
"""Seconds after which a folder that cannot be followed is tried again: its disk may be back."""
_ENDING = 10.0
"""Seconds that a follower gets to end."""

Place = tuple[str, str]
"""Collection and folder."""


@dataclass(slots=True)
class _Follower:
    stop: Flag = field(default_factory=Flag)
    trouble: str = ""
    thread: Thread | None = None


class Following:
    """Which folders are followed, each in a thread of its own. Usable from any thread."""

    def __init__(self, home: Path, library: Callable[[], Ingesting], ingests: Ingests) -> None:
        self._file = home / "followed.json"
        self._library = library
        self._ingests = ingests
        self._followers: dict[Place, _Follower] = {}
        self._lock = Lock()

    def begin(self) -> None:
        """Follows what was followed when the chat was closed."""
        with self._lock:
            for collection, folders in self._kept().items():
                for folder in folders:
                    self._add((collection, folder))

    def follow(self, collection: str, folder: str) -> None:
        """Brings a folder up to date and follows it, now and whenever the chat is open, until it is let go."""
        with self._lock:
            if not self.follows(collection, folder):
                self._add((collection, folder))
                self._keep()

    def let_go(self, collection: str, folder: str) -> None:
        """Follows a folder no more. Its documents stay."""
        with self._lock:
            if follower := self._followers.pop((collection, folder), None):
                follower.stop.set()
            self._keep()

    def forget(self, collection: str) -> None:
        """Lets all folders of a collection go."""
        for each, folder in list(self._followers):
            if each == collection:
                self.let_go(each, folder)

    def follows(self, collection: str, folder: str) -> bool:
        """Whether a folder is followed."""
        return (collection, folder) in self._followers

    def trouble(self, collection: str, folder: str) -> str:
        """Why a folder cannot be followed at present; empty if nothing is in the way."""
        follower = self._followers.get((collection, folder))
        return follower.trouble if follower else ""

    def close(self) -> None:
        """Ends all following; what was followed is followed again when the chat is opened the next time."""
        with self._lock:
            followers = list(self._followers.values())
        for follower in followers:
            follower.stop.set()
        for follower in followers:
            if follower.thread:
                follower.thread.join(_ENDING)

    def _add(self, place: Place) -> None:
        follower = self._followers[place] = _Follower()
        follower.thread = Thread(target=self._work, args=(place, follower), name="following", daemon=True)
        follower.thread.start()

    def _work(self, place: Place, follower: _Follower) -> None:
        while not follower.stop.is_set():
            try:
                self._follow(place, follower)
            except StoppedError:
                if not follower.stop.is_set():
                    self.let_go(*place)  # who stops the reading of a folder does not want it begun again by itself
            except TransomError as error:
                follower.trouble = error.message
            except Exception as error:
                follower.trouble = unforeseen(error).message
            follower.stop.wait(_AGAIN)

    def _follow(self, place: Place, follower: _Follower) -> None:
        collection, folder = place
        sweeps = watch(_InTurn(self._library(), self._ingests), [Path(folder)], collection, follower.stop)
        with closing(cast(Generator[Event, None, None], sweeps)) as events:
            for _ in events:
                follower.trouble = ""
                if follower.stop.is_set():
                    return

    def _kept(self) -> Mapping[str, Sequence[str]]:
        return {name: list(map(str, folders)) for name, folders in read_json(self._file).items()}

    def _keep(self) -> None:
        kept: dict[str, list[str]] = {}
        for collection, folder in self._followers:
            kept.setdefault(collection, []).append(folder)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._file, kept)
        except OSError as error:
            raise TransomError(
                f"{self._file} cannot be written: {error.strerror or error}",
                "Check that its folder can be written and its disk is not full.",
            ) from error


class _InTurn:
    """A library whose ingests wait until it is their turn."""

    def __init__(self, library: Ingesting, ingests: Ingests) -> None:
        self._library = library
        self._ingests = ingests

    def ingest(self, paths: Sequence[Path], collection: str, **wishes: Unpack[Wishes]) -> Iterator[Event]:
        """See :class:`~ingest.desk.Ingesting`."""
        yield from self._ingests.run(lambda: self._library.ingest(paths, collection, **wishes))
