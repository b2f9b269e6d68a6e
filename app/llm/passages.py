"""Passages on disk: their KV states, each made behind the system prefix alone, to be joined to any window.

::

    TRANSOM_HOME/passages/
        <key>/                  what the states depend on: model file, context, library, prefix
            about.json          which model that is, and how its trial went
            <document>/         removed with the document
                <hash>.state    see :mod:`app.llm.statefile`

All of them together stay below a limit; the least recently used go first.
"""

import json
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from app.jsonfile import read_json, write_json
from app.llm.statefile import as_array, make_room, name_of, read_state, write_state
from ingest.errors import TransomError

STATE_SUFFIX = ".state"
LABELS = "labels"
"""Stands for the document of what belongs to none: the numbers of passages."""
_MOST_LOST = 0.05
"""Of the surprise at right answers."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How well a model answers a fixed set of questions: the mean surprise at the right answers, in nats a token."""

    fresh: float
    """From passages that were evaluated where they stand."""
    joined: float
    """From the same ones, joined."""

    @property
    def passed(self) -> bool:
        """Whether hardly anybody would notice."""
        return self.joined <= self.fresh * (1 + _MOST_LOST)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is known of states before there are any."""

    model: str = ""
    """What the model is called, for people."""
    bytes_per_token: float = 0.0
    """That a state takes; 0 where nobody knows."""


class PassageStates:
    """The passages that one model in one setting has read ahead, behind one prefix."""

    def __init__(
        self, folder: Path, key: str, prefix: Sequence[int], limit_bytes: int, keeping: Keeping = Keeping()
    ) -> None:
        """`key`: of the model in its context."""
        self.prefix = list(prefix)
        """Tokens that every state stands behind."""
        self.limit = limit_bytes
        self._folder = folder
        depends = json.dumps([key, self.prefix])
        self._place = folder / blake2b(depends.encode(), digest_size=12).hexdigest()
        self.keeping = keeping
        self._about = self._place / "about.json"
        self._known = {path.stem: path for path in self._place.glob(f"*/*{STATE_SUFFIX}")}

    @property
    def trial(self) -> Trial | None:
        """How the model's trial went; None before it."""
        with suppress(KeyError, TypeError, ValueError):
            kept = read_json(self._about)["trial"]
            return Trial(float(kept["fresh"]), float(kept["joined"]))
        return None

    @trial.setter
    def trial(self, trial: Trial) -> None:
        self._place.mkdir(parents=True, exist_ok=True)
        write_json(self._about, {"model": self.keeping.model, "trial": asdict(trial)})

    def holds(self, passage: Sequence[int]) -> bool:
        """Whether the state of these tokens is there."""
        path = self._known.get(name_of(as_array(passage)))
        return path is not None and path.exists()

    def count(self, document_id: str) -> int:
        """How many passages of a document are there."""
        return sum(1 for _ in (self._place / document_id).glob(f"*{STATE_SUFFIX}"))

    def place(self, document_id: str) -> Path:
        """The folder of a document's states."""
        return self._place / document_id

    def size(self, passage: Sequence[int]) -> int:
        """Bytes that the state of these tokens takes; 0 where there is none."""
        path = self._known.get(name_of(as_array(passage)))
        with suppress(OSError):
            return path.stat().st_size if path else 0
        return 0

    def touch(self, passage: Sequence[int]) -> None:
        """Notes that these tokens are wanted: others make room first."""
        if path := self._known.get(name_of(as_array(passage))):
            with suppress(OSError):
                os.utime(path)

    def load(self, passage: Sequence[int]) -> bytearray | None:
        """The state of these tokens; None, and forgotten, where its file is gone or damaged."""
        tokens = as_array(passage)
        name = name_of(tokens)
        if (path := self._known.get(name)) is None:
            return None
        state = read_state(path, tokens)
        if state is None:
            self._known.pop(name, None)
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        self.touch(passage)
        return state

    def save(self, document_id: str, passage: Sequence[int], state: bytearray) -> None:
        """Writes a state; the least recently used make room for it. One that is larger than the limit is let go.

        Raises :class:`TransomError` where it cannot be written.
        """
        if len(state) > self.limit:
            return
        tokens = as_array(passage)
        name = name_of(tokens)
        path = self._place / document_id / f"{name}{STATE_SUFFIX}"
        try:
            for gone in make_room(self._folder.glob(f"*/*/*{STATE_SUFFIX}"), len(state), self.limit):
                self._known.pop(gone.stem, None)
            write_state(path, tokens, state)
            if not self._about.exists():
                write_json(self._about, {"model": self.keeping.model})
        except OSError as error:
            raise TransomError(
                f"What was read ahead could not be saved: {error.strerror or error}.",
                "Make room on the disk, or set window.ahead_gb to 0 in the settings.",
            ) from error
        self._known[name] = path

    def keep(self, document_id: str, passages: Collection[Sequence[int]]) -> None:
        """Removes what a document no longer says."""
        names = {name_of(as_array(passage)) for passage in passages}
        for path in (self._place / document_id).glob(f"*{STATE_SUFFIX}"):
            if path.stem not in names:
                path.unlink(missing_ok=True)
                self._known.pop(path.stem, None)


def bytes_held(folder: Path) -> int:
    """What all states together take."""
    return sum(path.stat().st_size for path in folder.glob(f"*/*/*{STATE_SUFFIX}"))
