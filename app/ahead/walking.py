"""One reading from its beginning to its end: of a collection, or of all there are."""

import time
from collections.abc import Iterator

from app.ahead.progress import Estimate, Progress, ReadSoFar
from app.ahead.reader import Reader
from app.errors import ModelError


def read_collection(reader: Reader, collection: str, limit: int | None = None) -> Iterator[Progress]:
    """Makes the model's trial if there was none, says what the reading would take, and reads; `limit` in bytes.

    Closing the iterator stops it within one batch, or one part of the trial. Raises :class:`ModelError` where nothing
    can be read ahead or the trial shows that it would do harm, and :class:`~ingest.errors.TransomError` where states
    cannot be saved.
    """
    reader.require()
    for part, _ in enumerate(reader.try_out(), 1):
        yield Progress(collection, part)
    _require_trust(reader)
    estimate = reader.estimate(collection, limit)
    yield Progress(collection, estimate=estimate, seconds_left=estimate.seconds)
    yield from _read(reader, collection, limit, estimate)


def read_everything(reader: Reader) -> Iterator[Progress]:
    """The same for all collections, the most used first, within one limit; and only where it pays.

    Ends without a word where that is not so, or the trial shows that it would do harm.
    """
    if not reader.able:
        return
    reader.tidy()
    if not reader.pays:
        return
    for part, _ in enumerate(reader.try_out(), 1):
        yield Progress("", part)
    if not (reader.trusted() and reader.pays):  # the trial has measured how fast the model reads
        return
    room = reader.room
    for collection in reader.collections():
        read = None
        for progress in _read(reader, collection, room, reader.estimate(collection, room)):
            yield progress
            read = progress.read
        if read is None or read.full:
            return
        room -= read.bytes


def _read(reader: Reader, collection: str, limit: int | None, estimate: Estimate) -> Iterator[Progress]:
    started, before = time.monotonic(), reader.read_before(collection)
    for read in reader.read(collection, limit):
        left = _seconds_left(estimate, read, before, time.monotonic() - started)
        yield Progress(collection, estimate=estimate, read=read, seconds_left=left)


def _seconds_left(estimate: Estimate, read: ReadSoFar, before: int, seconds: float) -> float | None:
    new = read.passages - before
    return seconds / new * max(0, estimate.passages - new) if new > 0 else estimate.seconds


def _require_trust(reader: Reader) -> None:
    if reader.trusted() or (trial := reader.trial) is None:
        return
    raise ModelError(
        "This model's answers suffer from reading ahead: in its trial, right answers surprised it by "
        f"{trial.joined:.3f} nats a token behind passages that were read ahead, by {trial.fresh:.3f} else.",
        "Nothing was read. To use it all the same, set answering.read_ahead to on.",
    )
