"""GGUF files on disk: whether they are whole, and whether they can answer."""

import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock, Timeout

from app.errors import ModelError
from app.models.geometry import Geometry
from app.models.header import Header, Value, read_header


def metadata(path: Path) -> Mapping[str, Value]:
    """What the file says of itself: architecture, trained window, chat template, and so on.

    Raises :class:`ModelError` where it is missing, damaged or no GGUF.
    """
    return read_header(path).metadata


def check_gguf(path: Path) -> None:
    """Raises :class:`ModelError` where the file is missing, no GGUF, damaged, or shorter than its tensors."""
    _whole(path)


def check_language_model(path: Path) -> None:
    """Raises :class:`ModelError` where the file is no whole GGUF, or holds something that cannot answer."""
    header = _whole(path)
    fault = _other_use(header.metadata) or _impossible(header)
    if fault:
        raise ModelError(f"{path.name} is {fault}.", "Name a GGUF that holds a whole language model.")


def in_folder(folder: Path) -> list[Path]:
    """The whole GGUF files in the folder, by name; none where there is no folder."""
    return [path for path in _candidates(folder) if is_whole(path)]


def faults_in(folder: Path) -> list[str]:
    """What is wrong with the damaged GGUF files in the folder: a sentence for each."""
    return [fault for path in _candidates(folder) if (fault := _fault(path))]


def is_whole(path: Path) -> bool:
    """Whether :func:`check_gguf` has nothing to say."""
    return not _fault(path)


def pieces_of(target: Path) -> list[Path]:
    """The file, if it is there, and what has arrived of it in unfinished tries."""
    return [*filter(Path.exists, [target]), *target.parent.glob(f"{glob.escape(target.name)}.*.part")]


def sha256(path: Path) -> str:
    """Of the whole file, in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@contextmanager
def arriving(target: Path, digest: str, size: int) -> Iterator[Path]:
    """Yields the path to write to, which outlives a failed try; then checks it and moves it to `target`.

    Its name holds the start of `digest`, the expected sha256, so that a try only goes on towards the same
    bytes; `size` is how many they are. Raises :class:`ModelError` where another process is at it, the disk
    fails or has no room, or the bytes are wrong (then they go).
    """
    part = target.with_name(f"{target.name}.{digest[:12]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / ".fetching.lock", timeout=0):
            _drop_useless(target, part, size)
            _check_room(part, size)
            yield part
            if sha256(part) != digest:
                part.unlink()
                raise ModelError(f"{target.name} arrived damaged: its sha256 is not {digest}.", "Try again.")
            os.replace(part, target)
    except Timeout as error:
        raise ModelError("Another Transom is fetching a model.", "Wait until it is done.") from error
    except OSError as error:
        raise ModelError(
            f"{target.name} cannot be written to {target.parent}: {error.strerror or error}.",
            "Make room or set another TRANSOM_HOME; what has arrived is kept.",
        ) from error


def _drop_useless(target: Path, part: Path, size: int) -> None:
    for found in pieces_of(target):
        if found != target and (found != part or found.stat().st_size > size):
            found.unlink()


def _check_room(part: Path, size: int) -> None:
    wanted = size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if free < wanted:
        said = f"{wanted / 1e9:.1f} GB more in {part.parent}, and {free / 1e9:.1f} GB are free"
        raise ModelError(f"The model needs {said}.", "Make room, or set another TRANSOM_HOME.")


def _candidates(folder: Path) -> list[Path]:
    # What calls itself GGUF; unfinished downloads end in .part.
    return sorted(path for path in folder.glob("*.gguf") if path.is_file())


def _fault(path: Path) -> str:
    try:
        check_gguf(path)
    except ModelError as error:
        return error.message
    return ""


def _whole(path: Path) -> Header:
    header, size = read_header(path), path.stat().st_size
    needed = max((tensor.end for tensor in header.tensors), default=0)
    if size < needed:
        raise ModelError(
            f"{path.name} is incomplete: {size:,} of at least {needed:,} bytes.",
            "Fetch it again: `transom models pull NAME`.",
        )
    return header


def _impossible(header: Header) -> str:
    """What llama.cpp does not check but assert, which ends the whole process; empty if there is nothing."""
    if header.metadata.get("general.architecture") != "gemma4":
        return ""
    layers = Geometry.of(header).layers
    own, shared = [layer for layer in layers if layer.keys], [layer for layer in layers if not layer.keys]
    # A layer without KV uses that of the last global one or of the local one before it: nothing else may be there.
    found = len(own) > 1 and all((own[-2] if layer.local else own[-1]).local == layer.local for layer in shared)
    return "" if found and any(layer.local for layer in layers) else "damaged: its layers do not fit together"


def _other_use(said: Mapping[str, Value]) -> str:
    """What the file is if it is no language model to ask; empty if it is one."""
    kind, architecture = said.get("general.type", "model"), said.get("general.architecture", "")
    if kind != "model" or architecture == "clip":
        return f"no language model but a part or companion of one ({kind if kind != 'model' else 'images'})"
    if str(architecture).endswith("-assistant"):
        return "no language model but a companion that drafts for one"
    if said.get(f"{architecture}.pooling_type") or said.get(f"{architecture}.attention.causal") is False:
        return "an embedding model: it finds texts but cannot write"
    if "tokenizer.ggml.model" not in said:
        return "no language model: it has no vocabulary"
    if isinstance(parts := said.get("split.count"), int) and parts > 1:
        return f"one of {parts} parts of a model; join them with llama.cpp's gguf-split"
    return ""
