"""Text in pictures, through the program Tesseract, where it is installed and the person wants it.

Called as a program and not through kreuzberg, which brings the library: that took half as long again and six times
the memory, resamples every picture, and does not find the languages where Fedora puts them.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ingest.documents import Page
from ingest.errors import EmptyError, ReadError, UnsupportedError
from ingest.readers.extracted import Extracted, title_or_name

HINT = "Read it with `--ocr` (needs Tesseract)."
_NO_LANGUAGES = {"osd", "equ", "snum"}
"""Data of Tesseract's that is no language."""
_MOST_LANGUAGES = 8
"""Each takes time and memory, on every page."""
_PR_SET_PDEATHSIG = 1


def read_picture(path: Path, media_type: str, ocr: bool) -> Extracted:
    """Reads the text in a picture, a page for each one in the file; the limit of time is for all of them.

    Raises :class:`UnsupportedError` without `ocr`, :class:`EmptyError` where there is no text, and
    :class:`ReadError` where Tesseract is missing or fails.
    """
    if not ocr:
        raise UnsupportedError("It is a picture.", HINT)
    texts = recognise(path.read_bytes())
    if not any(texts):
        raise EmptyError("Tesseract found no text in the picture.")
    pages = tuple(Page(number, text) for number, text in enumerate(texts, 1))
    return Extracted(title_or_name(None, path), media_type, pages, paged=len(pages) > 1)


def recognise(picture: bytes, dpi: int | None = None) -> list[str]:
    """The text of each page of a picture in any usual format; raises :class:`ReadError`."""
    command = [_program(), "stdin", "stdout", "-l", _languages(), *(["--dpi", str(dpi)] if dpi else [])]
    done = _run(command, picture)
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ReadError(f"Tesseract cannot read the picture: {last or f'exit status {done.returncode}'}")
    text = done.stdout.decode("utf-8", "replace")
    return [page.strip() for page in text.removesuffix("\f").split("\f")]


def each_in_time(pages: Iterable[int]) -> Iterator[int]:
    """Lets each page take as long as a timer of this process leaves for all of them.

    Raises :class:`ReadError` where the process that waits for them is gone.
    """
    seconds, _ = signal.getitimer(signal.ITIMER_REAL)
    parent = os.getppid()
    for page in pages:
        if os.getppid() != parent:
            raise ReadError("Reading was stopped.")
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield page


@cache
def _program() -> str:
    program = shutil.which("tesseract")
    if program is None:
        raise ReadError(
            "Reading pictures of text needs Tesseract, which is not installed.",
            "Install it: `apt install tesseract-ocr`, `dnf install tesseract` or `brew install tesseract`.",
        )
    return program


@cache
def _languages() -> str:
    """All languages that the person has installed."""
    listed = _run([_program(), "--list-langs"]).stdout.decode("utf-8", "replace").splitlines()[1:]
    languages = [name for name in listed if name not in _NO_LANGUAGES and not name.startswith("script/")]
    if not 0 < len(languages) <= _MOST_LANGUAGES:
        raise ReadError(
            f"Tesseract has {len(languages)} languages here; 1 to {_MOST_LANGUAGES} can be used at once.",
            "Let TESSDATA_PREFIX name a folder with Tesseract's data for the languages of your documents.",
        )
    return "+".join(languages)


def _run(command: list[str], picture: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command,
        input=picture,
        capture_output=True,
        check=False,
        env=os.environ | {"OMP_THREAD_LIMIT": "1"},  # there are as many workers as the person wants
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    """A worker that is ended takes its Tesseract along; where the system cannot do that, it ends with its page."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
