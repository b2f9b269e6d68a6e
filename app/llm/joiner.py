"""Joins passages to the window whose states were made before; makes such states."""

from collections.abc import Iterator, Sequence

from app.llm.loading import BATCH
from app.llm.passages import PassageStates
from app.llm.spare import Spare


class Joiner:
    """Works beside the window, in the spare sequence. The window has to begin with the prefix of the states."""

    def __init__(self, spare: Spare, states: PassageStates) -> None:
        self._spare = spare
        self.states = states

    def join(self, passage: Sequence[int], place: int) -> Iterator[int]:
        """Makes a passage a part of the window, at `place`, which is its end.

        Yields how many tokens had to be evaluated, batch by batch: none, unless its state is gone.
        """
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
        yield from self._evaluate(passage)
        try:
            self.states.save(document_id, passage, self._spare.state(len(self.states.prefix)))
        finally:
            self._spare.clear()

    def _evaluate(self, passage: Sequence[int]) -> Iterator[int]:
        self._spare.begin(len(self.states.prefix))
        try:
            for start in range(0, len(passage), BATCH):
                batch = passage[start : start + BATCH]
                self._spare.decode(batch)
                yield len(batch)
        except BaseException:
            self._spare.clear()
            raise
