"""Joins passages to the window whose states were made before; makes such states.

A label is read ahead like a passage: it has seen the prefix, and nothing else of the window.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from app.llm.joined import is_joined, runs, tokens
from app.llm.loading import BATCH
from app.llm.passages import LABELS, PassageStates
from app.llm.spare import Spare
from ingest.errors import TransomError


class Joiner:
    """Works beside the window. The window has to begin with the prefix of the states."""

    def __init__(self, spare: Spare, states: PassageStates) -> None:
        self._spare = spare
        self.states = states

    def join(self, stretch: Sequence[int], place: int) -> Iterator[int]:
        """Makes passages with their labels a part of the window, at `place`, which is its end.

        Yields how many tokens had to be evaluated, batch by batch: none, unless a state is not there. Closing the
        iterator before its end leaves a part of the stretch in the window.
        """
        start = len(self.states.prefix)
        try:
            for run in runs(stretch):
                state = self.states.load(tokens(run))
                if state is None or not self._spare.restore(state):
                    yield from self._evaluate(tokens(run))
                    if not is_joined(run[0]):
                        self._save_label(run)
                self._spare.collect(start, start + len(run), place)
                place += len(run)
            self._spare.join()
        finally:
            self._spare.clear()

    def read(self, document_id: str, passage: Sequence[int]) -> Iterator[int]:
        """Makes the state of a passage and saves it; yields how many tokens were evaluated, batch by batch.

        Closing the iterator stops it; then nothing is saved. Raises :class:`~ingest.errors.TransomError` where it
        cannot be saved.
        """
        try:
            yield from self._evaluate(passage)
            self.states.save(document_id, passage, self._spare.state(len(self.states.prefix)))
        finally:
            self._spare.clear()

    def _save_label(self, label: Sequence[int]) -> None:
        with suppress(TransomError):  # it is evaluated again the next time
            self.states.save(LABELS, label, self._spare.state(len(self.states.prefix)))

    def _evaluate(self, passage: Sequence[int]) -> Iterator[int]:
        self._spare.begin(self.states.prefix)
        for start in range(0, len(passage), BATCH):
            batch = passage[start : start + BATCH]
            self._spare.decode(batch)
            yield len(batch)
