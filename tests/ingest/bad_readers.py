"""Readers that misbehave, for the sandbox: workers import them by name."""

import os
import signal
import sys
import time
from pathlib import Path

from ingest.documents import Page
from ingest.errors import EncryptedError
from ingest.readers import Extracted


def obedient(path: Path) -> Extracted:
    """Does what the name of the file says."""
    match path.stem.rstrip("0123456789"):
        case "hang":
            time.sleep(60)
        case "spin":
            while True:
                pass
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(3)
        case "abort":
            os.abort()
        case "eat":
            _ = bytearray(2 << 30)
        case "fail":
            raise ValueError("a bug in a reader")
        case "panic":
            raise KeyboardInterrupt
        case "locked":
            raise EncryptedError("It has a password.", "Take it off.")
        case "chatter":
            print("to standard output")  # noqa: T201
            os.write(1, b"from native code")
    return page(path.read_text())


def about_the_worker(path: Path) -> Extracted:
    """Tells of its process: id, heavy modules it holds, whether it ran the parent's main module."""
    heavy = {"torch", "sentence_transformers", "streamlit", "pydantic", "pytest", "__mp_main__"} & set(sys.modules)
    return page(f"{os.getpid()} {' '.join(sorted(heavy))}")


def page(text: str) -> Extracted:
    return Extracted("title", "text/plain", (Page(1, text),))
