"""The one Assistant of this process, which all browser sessions share."""

from threading import Lock

from app.assistant import Assistant
from app.settings import Settings

_lock = Lock()
_settings: list[Settings] = []
_opened: list[Assistant] = []


def share(settings: Settings) -> None:
    """Says with which settings the assistant is to be opened."""
    _settings[:] = [settings]


def assistant() -> Assistant:
    """The assistant, opened by the first caller while others wait.

    Raises :class:`~ingest.errors.TransomError` where it cannot be opened; the next call tries again.
    """
    with _lock:
        if not _opened:
            opened = Assistant.open(_settings[0])
            try:
                _ = opened.library.index  # opened now, so that a locked index is told before a question
            except BaseException:
                opened.close()
                raise
            _opened.append(opened)
        return _opened[0]


def close() -> None:
    """Releases index and model."""
    with _lock:
        while _opened:
            _opened.pop().close()
