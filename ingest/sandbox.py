"""Reads files in worker processes: a file that crashes, hangs or eats memory ends itself and nothing else."""

import signal
import sys
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AbstractContextManager
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from ingest.errors import ReadError
from ingest.readers import Extracted, read
from ingest.settings import ReadingSettings

_MB = 1 << 20


class Reader(Protocol):
    """Reads one file. It is sent to the workers by its name, so it must be a function of a module."""

    def __call__(self, path: Path) -> Extracted:
        """The content of the file."""
        ...


class Reading:
    """A file that is being read."""

    def __init__(self, future: "ProcessFuture[Extracted]", limits: ReadingSettings) -> None:
        self._future = future
        self._limits = limits

    def result(self) -> Extracted:
        """Waits for the content; raises :class:`ReadError` that says what went wrong."""
        try:
            extracted: Extracted = self._future.result()
        except ReadError:
            raise
        except FutureTimeout as error:
            raise ReadError(
                f"Reading took longer than {self._limits.seconds:g} seconds.",
                "Raise reading.seconds in the settings if the file is worth it.",
            ) from error
        except MemoryError as error:
            raise self._too_large() from error
        except ProcessExpired as error:
            if error.exitcode in (-signal.SIGKILL, -signal.SIGABRT):
                raise self._too_large() from error
            raise ReadError(f"The reader crashed on this file (exit {error.exitcode}).") from error
        except Exception as error:
            raise ReadError(f"The file cannot be read: {type(error).__name__}: {error}") from error
        return extracted

    def _too_large(self) -> ReadError:
        return ReadError(
            f"Reading needed more than {self._limits.memory_mb} MB of memory.",
            "Raise reading.memory_mb in the settings if the file is worth it.",
        )


class Sandbox(AbstractContextManager["Sandbox"]):
    """A pool of reader processes with limits; leaving it ends them."""

    def __init__(self, limits: ReadingSettings, reader: Reader = read) -> None:
        self._limits = limits
        self._reader = reader
        self._pool = ProcessPool(
            max_workers=limits.workers,
            context=get_context("spawn"),
            initializer=_prepare,
            initargs=(limits.memory_mb,),
        )

    def submit(self, path: Path) -> Reading:
        """Begins to read a file."""
        future = self._pool.schedule(
            _read_within, args=[self._reader, path, self._limits], timeout=self._limits.seconds
        )
        return Reading(future, self._limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _read_within(reader: Reader, path: Path, limits: ReadingSettings) -> Extracted:
    """Runs in a worker."""
    size = path.stat().st_size
    if size > limits.max_file_mb * _MB:
        raise ReadError(
            f"The file has {size // _MB} MB; the limit is {limits.max_file_mb} MB.",
            "Raise reading.max_file_mb in the settings if it is worth it.",
        )
    extracted = reader(path)
    length = sum(len(page.text) for page in extracted.pages)
    if length > limits.max_text_mb * _MB:
        raise ReadError(
            f"The file holds {length // _MB} million characters; the limit is {limits.max_text_mb} million.",
            "Raise reading.max_text_mb in the settings if it is worth it.",
        )
    return extracted


def _prepare(memory_mb: int) -> None:
    """Runs once in each worker: the parent decides about Ctrl-C, and memory has a limit (Linux only)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    if sys.platform == "linux":
        import resource

        import psutil

        limit = psutil.Process().memory_info().vms + memory_mb * _MB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
