"""Opens a document's file in its own program, or the folder it lies in, on the machine that serves the chat."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ingest.errors import TransomError

_TEXTS = (".csv", ".tsv", ".txt", ".md", ".eml", ".rtf", ".pdf", ".epub")
_OFFICE = (".docx", ".doc", ".odt", ".xlsx", ".xls", ".ods", ".pptx", ".ppt", ".odp")
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_DOCUMENTS = frozenset((*_TEXTS, *_OFFICE, *_PICTURES))
"""What a program shows. Anything else may be something that runs, and is shown in its folder only."""


def can_open(path: Path) -> bool:
    """Whether a file is of a kind that a program shows."""
    return path.suffix.lower() in _DOCUMENTS


def open_file(path: Path) -> None:
    """Opens a file as a double click would; raises :class:`TransomError` where that cannot be."""
    if not can_open(path):
        raise TransomError(f"{path.name} is not opened from here: it could be a program.", "Show it in its folder.")
    _start(path, _opener(path))


def show_in_folder(path: Path) -> None:
    """Opens the folder of a file; raises :class:`TransomError` where that cannot be."""
    _start(path, _revealer(path))


def _opener(path: Path) -> list[str]:
    if sys.platform == "darwin":
        return ["open", str(path)]
    if sys.platform == "win32":
        return ["explorer", str(path)]
    return ["xdg-open", str(path)]


def _revealer(path: Path) -> list[str]:
    if sys.platform == "darwin":
        return ["open", "-R", str(path)]
    if sys.platform == "win32":
        return ["explorer", f"/select,{path}"]
    return ["xdg-open", str(path.parent)]


def _start(path: Path, command: list[str]) -> None:
    if not path.exists():
        raise TransomError(f"{path} is not there any more.", "Ingest its folder again.")
    if not shutil.which(command[0]) or not _has_screen():
        raise TransomError("This machine has no desktop that could open it.", f"It lies at {path}")
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(os.environ.get(each) for each in ("DISPLAY", "WAYLAND_DISPLAY"))
