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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from queue import LifoQueue
from types import TracebackType

from ingest.errors import ReadError
from ingest.readers import Extracted, read
from ingest.settings import ReadingSettings
from ingest.worker import MB, Reader, Task

Reading = Future[Extracted]
"""A file that is being read; its result raises :class:`ReadError` that says what went wrong."""

_FILES_PER_WORKER = 500
"""After so many a fresh process takes over: libraries do not give all memory back."""
_OUT_OF_MEMORY = {signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL}
"""How native code ends itself, or the system ends it, where there is no memory left."""
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
"""One file is read by one thread: there are as many workers as the person wants."""


class Sandbox(AbstractContextManager["Sandbox"]):
    """Reader processes with limits, each started when it is needed; leaving the sandbox ends them at once."""

    def __init__(self, limits: ReadingSettings, reader: Reader = read) -> None:
        self._limits = limits
        self._reader = reader
        self._threads = ThreadPoolExecutor(limits.workers, "transom-reader")
        self._workers = [_Worker() for _ in range(limits.workers)]
        self._idle: LifoQueue[_Worker] = LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, path: Path) -> Reading:
        """Begins to read a file."""
        return self._threads.submit(self._read, path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()
        for worker in self._workers:
            worker.close()

    def _read(self, path: Path) -> Extracted:
        limits = self._limits
        _check_size(path, limits.max_file_mb)
        worker = self._idle.get()
        try:
            return worker.read(Task(path, self._reader, limits.seconds, limits.memory_mb, limits.max_text_mb))
        finally:
            self._idle.put(worker)


class _Worker:
    """One reader process after another, used by one thread at a time; any thread may kill it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0
        self._killed = False

    def read(self, task: Task) -> Extracted:
        """Has a file read; raises :class:`ReadError`, also for a file that ends the process."""
        process = self._ready()
        try:
            answer = _ask(process, task)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _ended(process.wait(), task) from error
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
            self._files += 1
            if self._process is None or self._process.poll() is not None or self._files > _FILES_PER_WORKER:
                self.close()
                self._process, self._files = _start(), 1
            return self._process


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ingest.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)},
        process_group=0,  # Ctrl-C in the terminal is for the parent, which then decides
    )


def _ask(process: "subprocess.Popen[bytes]", task: Task) -> Extracted | ReadError:
    assert process.stdin and process.stdout
    pickle.dump(task, process.stdin)
    process.stdin.flush()
    answer: Extracted | ReadError = pickle.load(process.stdout)
    return answer


def _ended(status: int, task: Task) -> ReadError:
    """Why a process ended in the middle of a file."""
    if status == -signal.SIGALRM:
        return ReadError(
            f"Reading took longer than {task.seconds:g} seconds.",
            "Raise reading.seconds in the settings if the file is worth it.",
        )
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    hint = "Open it in its own program and save it again."
    if -status in _OUT_OF_MEMORY:
        how += f", most likely because it needed more than {task.memory_mb} MB of memory"
        hint = "Raise reading.memory_mb in the settings if the file is worth it."
    return ReadError(f"The reader crashed on this file ({how}).", hint)


def _check_size(path: Path, max_file_mb: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ReadError(f"The file cannot be opened: {error.strerror or error}", "Check who may read it.") from error
    if size > max_file_mb * MB:
        raise ReadError(
            f"The file has {size // MB} MB; the limit is {max_file_mb} MB.",
            "Raise reading.max_file_mb in the settings if the file is worth it.",
        )
