"""Who owns a TRANSOM_HOME: the one process (`transom chat`) that holds the index and does the work of all others.

::

    TRANSOM_HOME/
        owner.lock    held as long as the owner lives; the kernel releases it, however the owner ends
        owner.json    where the owner listens, and the secret that its clients show; only its user can read it

The lock says whether there is an owner; the file says which. Before anybody shows the secret to an address, the
address has proved that it knows it.
"""

import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from ingest.errors import IndexUnavailableError, SettingsError, TransomError
from ingest.settings import IngestSettings

_LOOK = 0.5
"""Seconds within which a claim tells an owner from somebody who only looks whether there is one."""
_PATIENCE = 60.0
"""Seconds that an owner gets to start, or to end."""
_INGEST = ("embedding", "chunking", "reading")


@dataclass(frozen=True, slots=True)
class Owner:
    """A live owner, as it announced itself."""

    address: str
    """Where it listens on the loopback interface: `http://127.0.0.1:8501`."""
    token: str
    pid: int
    version: str
    settings: Mapping[str, Any]
    """Those it works with, by section."""

    def proof(self, challenge: str) -> str:
        """What only somebody who knows the token can answer."""
        return hmac.new(self.token.encode(), challenge.encode(), "sha256").hexdigest()

    def check(self, settings: IngestSettings, sections: Collection[str] = _INGEST) -> None:
        """Raises :class:`SettingsError` where it would do the work in another way than `settings` ask for."""
        if self.version != _version():
            raise SettingsError(f"The chat that is open is Transom {self.version}; this is {_version()}.", _RESTART)
        wanted = settings.model_dump(mode="json")
        differing = [
            f"{section}.{name} is {there!r} there and {wanted[section].get(name)!r} here"
            for section in sections
            for name, there in self.settings[section].items()
            if there != wanted[section].get(name)
        ]
        if differing:
            raise SettingsError(f"The chat that is open works with other settings: {'; '.join(differing)}.", _RESTART)


class Ownership:
    """The right to own a home, held until it is released or the process ends."""

    def __init__(self, home: Path, lock: FileLock) -> None:
        self._file = home / "owner.json"
        self._lock = lock

    @classmethod
    def claim(cls, home: Path) -> Self | None:
        """Takes possession of `home`; None where it has a live owner."""
        try:
            home.mkdir(parents=True, exist_ok=True)
            lock = _lock(home)
            lock.acquire(timeout=_LOOK)
            (home / "owner.json").unlink(missing_ok=True)
        except Timeout:
            return None
        except OSError as error:
            raise _unusable(home, error) from error
        return cls(home, lock)

    def announce(self, address: str, settings: IngestSettings) -> Owner:
        """Tells everybody who may read it where the owner listens: from now on work is handed to it."""
        owner = Owner(address, secrets.token_urlsafe(32), os.getpid(), _version(), {})
        return self.tell(owner, settings)

    def tell(self, owner: Owner, settings: IngestSettings) -> Owner:
        """Tells everybody that the owner works with these settings now."""
        told = replace(owner, settings=settings.model_dump(mode="json"))
        try:
            _write(self._file, json.dumps(asdict(told), indent=2))
        except OSError as error:
            raise _unusable(self._file.parent, error) from error
        return told

    def release(self) -> None:
        """Gives the home back; harmless when done twice."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def find_owner(home: Path, patience: float = _PATIENCE) -> Owner | None:
    """The live owner of `home`, if there is one; waits for one that is just starting or ending.

    Raises :class:`IndexUnavailableError` where it lives but does not answer within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while _is_owned(home):
        owner = _read(home / "owner.json")
        if owner and _answers(owner):
            return owner
        if time.monotonic() > deadline:
            raise IndexUnavailableError(
                f"Another Transom has {home} open and does not answer.",
                f"End it{f' (process {owner.pid})' if owner else ''}, then run the same command again.",
            )
        time.sleep(0.1)
    return None


def _is_owned(home: Path) -> bool:
    if not (home / "owner.lock").exists():
        return False
    try:
        with _lock(home).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError as error:
        raise _unusable(home, error) from error


def _answers(owner: Owner) -> bool:
    """Whether whoever listens at the owner's address is the owner."""
    import httpx

    challenge = secrets.token_hex(16)
    try:
        answer = httpx.get(f"{owner.address}/api/health", params={"challenge": challenge}, timeout=5, trust_env=False)
        return hmac.compare_digest(str(answer.json()["proof"]), owner.proof(challenge))
    except (httpx.HTTPError, ValueError, TypeError, KeyError):
        return False


def _read(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):  # about to be written
        return None
    except OSError as error:
        raise _unusable(path.parent, error) from error


def _write(path: Path, text: str) -> None:
    """Puts a file there at once and whole, readable by its user alone from the first byte on."""
    descriptor, scratch = tempfile.mkstemp(prefix="owner-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise


def _lock(home: Path) -> FileLock:
    return FileLock(home / "owner.lock", mode=0o600, thread_local=False)


def _version() -> str:
    return version("transom")


def _unusable(home: Path, error: OSError) -> TransomError:
    return TransomError(
        f"The folder {home} cannot be used: {error.strerror or error}",
        "Check who may read and write it, or name another with TRANSOM_HOME.",
    )


_RESTART = "Set it back, or stop the chat (Ctrl-C in its terminal) and start it again: `transom chat`."
