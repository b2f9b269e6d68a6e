"""The errors of answering; the whole tree is drawn in :mod:`ingest.errors`."""

from ingest.errors import TransomError


class ModelError(TransomError):
    """The model cannot be had, loaded or run."""

    exit_status = 4


class WindowError(ModelError):
    """The question does not fit the model's window."""
