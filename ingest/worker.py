"""What runs in a reader process: read a file, answer, wait for the next one.

The process limits itself, so that the limits hold even if the one that started it is gone: the kernel ends it
when a file takes too long, and refuses it more memory than it may have (Linux only).
"""

import os
import pickle
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ingest.errors import ReadError
from ingest.readers.extracted import Extracted

MB = 1 << 20


class Reader(Protocol):
    """Reads one file. It is sent to the worker by its name, so it must be a function of a module."""

    def __call__(self, path: Path) -> Extracted:
        """The content of the file; raises :class:`ReadError`."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A file to read, and how much it may cost."""

    path: Path
    reader: Reader
    seconds: float
    memory_mb: int
    text_mb: int
    """Millions of characters, in round figures (1 << 20)."""


def main() -> None:
    """Answers each task on standard input with an :class:`Extracted` or an error on standard output."""
    answers = _private_output()
    while True:
        try:
            task: Task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_answer(task), answers)
        answers.flush()


def _private_output() -> BinaryIO:
    """Standard output for answers alone: what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _answer(task: Task) -> Extracted | ReadError:
    if sys.platform == "linux":
        # What is allocated, not what is mapped: libraries reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (task.memory_mb * MB, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, task.seconds)  # nothing handles SIGALRM: it ends the process
    try:
        return _bounded(task.reader(task.path), task)
    except ReadError as error:
        return error
    except MemoryError:
        return ReadError(
            f"Reading needed more than {task.memory_mb} MB of memory.",
            "Raise reading.memory_mb in the settings if the file is worth it.",
        )
    except BaseException as error:  # even a panic in Rust, which is no Exception, is a matter of this file alone
        return ReadError(f"The file cannot be read: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _bounded(extracted: Extracted, task: Task) -> Extracted:
    length = sum(len(page.text) for page in extracted.pages)
    if length > task.text_mb * MB:
        raise ReadError(
            f"The file holds {length / MB:.0f} million characters; the limit is {task.text_mb} million.",
            "Raise reading.max_text_mb in the settings if the file is worth it.",
        )
    return extracted


if __name__ == "__main__":
    main()
