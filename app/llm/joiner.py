"""Joins passages to the window whose states were made before; makes such states."""

from collections.abc import Iterator, Sequence

from app.llm.joined import is_joined, runs, tokens
from app.llm.loading import BATCH
from app.llm.passages import PassageStates
from app.llm.spare import Spare


class Joiner:
    """Works beside the window, in the spare sequences. The window has to begin with the prefix of the states."""

    def __init__(self, spare: Spare, states: PassageStates) -> None:
        self._spare = spare
        self.states = states

    def join(self, stretch: Sequence[int], place: int) -> Iterator[int]:
        """Makes passages with labels between them a part of the window, at `place`, which is its end.

        Yields how many tokens of passages had to be evaluated, batch by batch: none, unless a state is gone. Closing
        the iterator before its end leaves the window with holes.
        """
        labels = []
        try:
            for run in runs(stretch):
                if is_joined(run[0]):
                    yield from self._put(tokens(run), place)
                else:
                    self._spare.leave_gap(place)
                    labels.append(run)
                place += len(run)
            if labels:
                self._spare.fill_gaps(labels)
        finally:
            self._spare.clear()

    def _put(self, passage: Sequence[int], place: int) -> Iterator[int]:
        state = self.states.load(passage)
        if state is None or not self._spare.restore(state):
            yield from self._evaluate(passage)
        start = len(self.states.prefix)
        self._spare.join(start, start + len(passage), place)

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

    def _evaluate(self, passage: Sequence[int]) -> Iterator[int]:
        self._spare.begin(self.states.prefix)
        for start in range(0, len(passage), BATCH):
            batch = passage[start : start + BATCH]
            self._spare.decode(batch)
            yield len(batch)
