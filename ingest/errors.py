"""Every error a person can meet. Each says what happened and what to do about it.

::

    TransomError                       anything Transom reports by itself        exit 1
    ├── UsageError                     the request cannot be carried out         exit 2
    │   └── SettingsError              a setting is unknown or impossible
    ├── ReadError                      one file cannot be read; the run goes on
    │   ├── EncryptedError             ... without its password
    │   ├── UnsupportedError           ... because nothing here reads its format
    │   └── EmptyError                 ... because it holds no text (a scan, a picture)
    ├── VectorIndexError               the index cannot be used                  exit 3
    │   ├── NoIndexError               ... because there is none yet
    │   ├── IndexLockedError           ... because another process has it open
    │   ├── IndexUnavailableError      ... because its server does not answer
    │   └── FingerprintError           ... because another embedder or cut made it
    └── ModelError (app.errors)        the model cannot be had, loaded or run    exit 4
        ├── WindowError (app.errors)   the question does not fit the window
        └── HubUnreachableError (app.models.hub)   the model hub does not answer

Adapters translate at the border, and chain the cause: ``raise ReadError(...) from error``.
"""


class TransomError(Exception):
    """Something a person should read: `message` says what happened, `hint` what to do (may be empty)."""

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["TransomError"], tuple[str, str]]:
        """Errors cross process borders: readers run in workers."""
        return type(self), (self.message, self.hint)


class UsageError(TransomError):
    """The request cannot be carried out as it was made."""

    exit_status = 2


class SettingsError(UsageError):
    """A setting is unknown, or has a value that cannot be."""


class ReadError(TransomError):
    """One file cannot be read."""


class EncryptedError(ReadError):
    """The file opens only with a password."""


class UnsupportedError(ReadError):
    """Nothing here reads this format."""


class EmptyError(ReadError):
    """The file holds no text."""


class VectorIndexError(TransomError):
    """The index cannot be used."""

    exit_status = 3


class NoIndexError(VectorIndexError):
    """There is no index yet."""


class IndexLockedError(VectorIndexError):
    """Another process has the index open."""


class IndexUnavailableError(VectorIndexError):
    """The index's server does not answer."""


class FingerprintError(VectorIndexError):
    """The index was made with another embedder or another way of cutting."""
