"""What an ingest tells while it runs: the same events for the terminal, the chat, `--json` and the API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file was read and stored."""

    document: str
    pages: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file is as it was; it was not read."""

    document: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A file is gone from the folder, and now from the index."""

    document: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A file could not be read; the rest goes on."""

    document: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder was left out."""

    document: str
    reason: str
    on_purpose: bool = True
    """False where it could not be looked at; what is known of it is kept."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a run has come; told about twice a second."""

    files: int
    """Done so far, unchanged and failed ones among them."""
    total_files: int | None
    """Of the folder; None until it has been counted."""
    megabytes: float
    """Of the files that are done."""
    total_megabytes: float | None
    chunks: int
    """Stored by this run."""
    failed: int
    seconds: float
    """Since the run began."""
    chunks_per_second: float
    """Lately."""
    seconds_left: float | None
    """None as long as nobody can know."""
    current: str
    """The document that is being worked on, with what is done to it where that takes long."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run, with its counts: files = indexed + unchanged + failed."""

    files: int
    indexed: int
    unchanged: int
    removed: int
    failed: int
    read: int
    """Files opened in this run, because they were new or looked changed."""
    chunks: int
    """Chunks stored in this run."""
    embedded: int
    """Texts that the embedder had to embed: fewer than chunks where texts were known already."""
    seconds: float


Event = Indexed | Unchanged | Removed | Failed | Skipped | Progressed | Finished
