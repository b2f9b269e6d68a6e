"""What runs in a worker process: do a job on one item, answer, wait for the next one.

The process limits itself, so that the limits hold even if the one that started it is gone: the kernel ends it
when an item takes too long, and refuses it more memory than it may have (Linux only).
"""

import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from ingest.errors import ReadError

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Work:
    """What a process is there for, and how much one item may cost. Sent once, before the first item."""

    job: Callable[[Any], Any]
    """Something of a module, as it travels by name; raises :class:`ReadError` where an item cannot be done."""
    seconds: float
    memory_mb: int


def main() -> None:
    """Answers each item on standard input with its result, or an error, on standard output."""
    answers = _private_output()
    work: Work = pickle.load(sys.stdin.buffer)
    while True:
        try:
            item = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_answer(work, item), answers)
        answers.flush()


def _private_output() -> BinaryIO:
    """Standard output for answers alone: what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _answer(work: Work, item: object) -> object:
    if sys.platform == "linux":
        # What is allocated, not what is mapped: libraries reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (work.memory_mb * MB, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, work.seconds)  # nothing handles SIGALRM: it ends the process
    try:
        return work.job(item)
    except ReadError as error:
        return error
    except MemoryError:
        return ReadError(
            f"Reading needed more than {work.memory_mb} MB of memory.",
            "Raise reading.memory_mb in the settings if the file is worth it.",
        )
    except BaseException as error:  # even a panic in Rust, which is no Exception, is a matter of this file alone
        return ReadError(f"The file cannot be read: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
