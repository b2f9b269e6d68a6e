"""The errors of answering; the whole tree is drawn in :mod:`ingest.errors`."""

import tempfile
import traceback
from pathlib import Path

from ingest.errors import TransomError


class ModelError(TransomError):
    """The model cannot be had, loaded or run."""

    exit_status = 4


class WindowError(ModelError):
    """The question does not fit the model's window."""


def unforeseen(error: Exception) -> TransomError:
    """What a person is told of an error that nobody foresaw; its traceback goes into a file."""
    with tempfile.NamedTemporaryFile("w", prefix="transom-", suffix=".log", delete=False) as report:
        report.write("".join(traceback.format_exception(error)))
    return TransomError(
        f"Transom failed in a way it does not know: {type(error).__name__}: {error}",
        f"This is a mistake in Transom. The details are in {Path(report.name)}.",
    )
