"""What reading ahead takes and how far it is, in words."""

from rich.filesize import decimal

from app.ahead.progress import Estimate, Progress
from ingest.display import duration


def cost(estimate: Estimate) -> str:
    """Time and room on the disk; the time only where it is known."""
    time = [duration(estimate.seconds)] if estimate.seconds is not None else []
    return ", ".join([*time, decimal(estimate.bytes)])


def so_far(progress: Progress) -> str:
    """How far it is, on one line."""
    if progress.read is None:
        return f"trying the model out, part {progress.tried}" if progress.tried else "beginning"
    read = progress.read
    words = [f"{read.passages:,} of {read.total:,} passages", decimal(read.bytes)]
    if progress.seconds_left is not None and not read.full:
        words.append(f"{duration(progress.seconds_left)} left")
    return ", ".join(words)
