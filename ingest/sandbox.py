"""Reads files in processes of their own: one that crashes, hangs or eats memory ends itself and nothing else.

Not with multiprocessing, nor a pool built on it: its workers begin by running the parent's main module again,
which in the chat is a Streamlit page. A worker here is a fresh `python -m ingest.worker`, which loads readers
and nothing else. For systems with POSIX signals.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from queue import LifoQueue
from typing import Any, Generic, TypeVar

from ingest.errors import ReadError
from ingest.settings import ReadingSettings
from ingest.worker import Work

Item = TypeVar("Item")
Result = TypeVar("Result")

_ITEMS_PER_PROCESS = 500
"""After so many a fresh process takes over: libraries do not give all memory back."""
_OUT_OF_MEMORY = {signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL}
"""How native code ends itself, or the system ends it, where there is no memory left."""
_ROOT = str(Path(__file__).parents[1])
"""Comes first: while Streamlit runs a page, it puts the page's folder there, and what lies in it would be `ingest`."""
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
"""One file is read by one thread: there are as many workers as the person wants."""


class Sandbox(AbstractContextManager["Sandbox[Item, Result]"], Generic[Item, Result]):
    """Processes that do one job on many items, with limits for each item.

    A process is started when it is needed; leaving the sandbox ends all of them at once.
    """

    def __init__(self, limits: ReadingSettings, job: Callable[[Item], Result]) -> None:
        """`job` travels to the processes by name, so it must be something of a module."""
        work = Work(job, limits.seconds, limits.memory_mb)
        self._threads = ThreadPoolExecutor(limits.workers, "transom-reader")
        self._workers = [_Worker(work) for _ in range(limits.workers)]
        self._idle: LifoQueue[_Worker] = LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, item: Item) -> Future[Result]:
        """Begins with an item. The result raises :class:`ReadError` that says what went wrong."""
        return self._threads.submit(self._do, item)

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()
        for worker in self._workers:
            worker.close()

    def _do(self, item: Item) -> Result:
        worker = self._idle.get()
        try:
            result: Result = worker.do(item)
            return result
        finally:
            self._idle.put(worker)


class _Worker:
    """One process after another, used by one thread at a time; any thread may kill it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._items = 0
        self._killed = False

    def do(self, item: object) -> Any:
        """Has an item done; raises :class:`ReadError`, also for an item that ends the process."""
        process = self._ready()
        try:
            answer = _ask(process, item)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _ended(process.wait(), self._work) from error
        if isinstance(answer, ReadError):
            raise answer
        return answer

    def kill(self) -> None:
        """Ends the process, in the middle of a file if need be, for good."""
        with self._lock:
            self._killed = True
            if self._process:
                self._process.kill()

    def close(self) -> None:
        """Ends the process and lets go of its pipes; no other thread may be using it."""
        if self._process:
            self._process.kill()
            with suppress(OSError), self._process:  # of a task that the process did not take any more
                pass

    def _ready(self) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._killed:
                raise ReadError("Reading was stopped.")
            self._items += 1
            if self._process is None or self._process.poll() is not None or self._items > _ITEMS_PER_PROCESS:
                self.close()
                self._process, self._items = _start(self._work), 1
            return self._process


def _start(work: Work) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ingest.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join((_ROOT, *sys.path))},
        process_group=0,  # Ctrl-C in the terminal is for the parent, which then decides
    )
    with suppress(BrokenPipeError):  # one that is dead already says so at its first item
        _send(process, work)
    return process


def _send(process: "subprocess.Popen[bytes]", message: object) -> None:
    assert process.stdin
    pickle.dump(message, process.stdin)
    process.stdin.flush()


def _ask(process: "subprocess.Popen[bytes]", item: object) -> Any:
    assert process.stdout
    _send(process, item)
    return pickle.load(process.stdout)


def _ended(status: int, work: Work) -> ReadError:
    """Why a process ended in the middle of a file."""
    if status == -signal.SIGALRM:
        return ReadError(
            f"Reading took longer than {work.seconds:g} seconds.",
            "Raise reading.seconds in the settings if the file is worth it.",
        )
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    hint = "Open it in its own program and save it again."
    if -status in _OUT_OF_MEMORY:
        how += f", most likely because it needed more than {work.memory_mb} MB of memory"
        hint = "Raise reading.memory_mb in the settings if the file is worth it."
    return ReadError(f"The reader crashed on this file ({how}).", hint)
