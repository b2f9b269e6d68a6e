"""Draws pages of PDFs in a process of its own, and remembers the latest."""

from collections import OrderedDict
from threading import Lock

from app.sources.sheet import Sheet, Wanted, draw
from ingest.sandbox import Sandbox
from ingest.settings import ReadingSettings

_REMEMBERED = 32
"""Pages, of some hundred kB each."""
_SECONDS = 20.0


class Sheets:
    """Pages that are drawn when somebody wants to see them. Usable from any thread."""

    def __init__(self) -> None:
        limits = ReadingSettings(seconds=_SECONDS, workers=1)
        self._sandbox: Sandbox[Wanted, Sheet] = Sandbox(limits, draw)
        self._drawn: OrderedDict[tuple[Wanted, int], Sheet] = OrderedDict()
        self._lock = Lock()

    def draw(self, wanted: Wanted, version: int) -> Sheet:
        """A page of a file as it was changed last at `version`; raises :class:`~ingest.errors.ReadError`."""
        key = wanted, version
        with self._lock:
            sheet = self._drawn.pop(key, None)
        sheet = sheet or self._sandbox.submit(wanted).result()
        with self._lock:
            self._drawn[key] = sheet
            if len(self._drawn) > _REMEMBERED:
                self._drawn.popitem(last=False)
        return sheet

    def close(self) -> None:
        """Ends the process."""
        self._sandbox.__exit__(None, None, None)
