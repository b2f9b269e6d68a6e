"""What a collection comes to: its counts, its size, its folders, and how much of them is read."""

from dataclasses import dataclass

from ingest.catalogue import Catalogue, Coverage


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of a collection."""

    collection: str
    documents: int
    """Those that can be asked about."""
    failed: int
    """Files that could not be read."""
    chunks: int
    bytes: int
    """Of all its files."""
    folders: tuple[str, ...]
    """Absolute."""
    coverage: Coverage | None
    """None unless a run is going on or ended early."""


def overview(catalogue: Catalogue, collection: str) -> Overview:
    """Counts a collection; one that does not exist comes to nothing."""
    entries = list(catalogue.entries(collection))
    return Overview(
        collection=collection,
        documents=sum(entry.state == "indexed" for entry in entries),
        failed=sum(entry.state == "failed" for entry in entries),
        chunks=sum(entry.chunks for entry in entries),
        bytes=sum(entry.size for entry in entries),
        folders=tuple(catalogue.roots(collection)),
        coverage=catalogue.coverage(collection),
    )
