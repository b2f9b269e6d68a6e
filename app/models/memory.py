"""How much memory this machine has for a model."""

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.errors import ModelError

GB = 2**30

_AS_SOLD = 0.85
"""A "16 GB" machine reports less: firmware, the system and built-in graphics keep up to this share."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes, as the system reports it."""

    ram: int
    vram: int = 0
    """Of all graphics cards that llama.cpp, as it was built here, can use: it spreads a model over them."""
    unified: bool = False
    """Apple's: the graphics part computes in the same memory."""


def measure() -> Memory:
    """The memory of this machine. Raises :class:`ModelError` where llama.cpp is broken."""
    unified = platform.system() == "Darwin" and platform.machine() == "arm64"
    return Memory(_ram(), 0 if unified else _usable_vram(), unified)


def reaches(amount: int, gigabytes: float) -> bool:
    """Whether `amount` bytes is what a machine or card sold with so many GB has."""
    return amount >= gigabytes * GB * _AS_SOLD


def _ram() -> int:
    """Bytes of the machine, or those that the container this runs in may use."""
    total = int(psutil.virtual_memory().total)
    limits = [place.read_text().strip() for place in _LIMITS if place.is_file()]
    return min([total, *(int(limit) for limit in limits if limit.isdigit())])


_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux tells a container its limit: in the two versions of control groups, of which one is there."""


def _usable_vram() -> int:
    cards = nvidia_cards()
    return cards if cards and _built_for_gpu() else 0


def nvidia_cards() -> int:
    """Bytes of memory of all NVIDIA cards there are, whether llama.cpp can use them or not."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    query = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0  # the tool outlives its driver: then there is no card to compute on
    mebibytes = [int(line) for line in listed.split() if line.isdigit()]
    return sum(mebibytes) * 2**20


def _built_for_gpu() -> bool:
    # A card counts only where llama.cpp was built for one; asked last, because importing it takes a while.
    return bool(load_llama_cpp().llama_supports_gpu_offload())


def load_llama_cpp() -> Any:
    """The module `llama_cpp`. Raises :class:`ModelError` where it is broken or missing."""
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(f"llama.cpp cannot be loaded: {error}", "Install llama-cpp-python again.") from error
    return llama_cpp
