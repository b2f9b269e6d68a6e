"""From one index to another, for instance when an embedded one has outgrown its machine."""

from collections.abc import Iterator

from ingest.index import Index, Where
from ingest.index.schema import batches


def copy_index(source: Index, target: Index, where: Where) -> Iterator[int]:
    """Copies the chunks `where` means with their vectors, embedding nothing; yields how many it has so far.

    Interrupted, it can simply be run again. Raises :class:`~ingest.errors.FingerprintError` if the two
    indexes were made with different settings.
    """
    source.fingerprint().check(target.fingerprint())
    copied = 0
    for batch in batches(source.scroll(where)):
        target.upsert(batch)
        copied += len(batch)
        yield copied
    target.flush()
