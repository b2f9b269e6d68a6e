"""Does a KV cache take what was planned for it? llama.cpp's own log says what it allocated."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.llm.runtime import BATCH, Context, LlamaRuntime
from app.models.geometry import Cache, Geometry, KvType
from app.models.header import read_header
from tests.llama_log import llama_log

_WINDOW = 6_000
_TYPES: tuple[KvType, ...] = ("f16", "q8_0")


@dataclass(frozen=True, slots=True)
class Held:
    """The KV cache of one model in one setting; bytes."""

    model: str
    kv_type: KvType
    swa_full: bool
    planned: int
    allocated: int

    @property
    def error(self) -> float:
        """Relative to what was allocated."""
        return abs(self.planned - self.allocated) / self.allocated


def measure(models: dict[str, Path]) -> Iterator[Held]:
    """Every model with every type, full and windowed."""
    for name, path in models.items():
        geometry = Geometry.of(read_header(path))
        for kv_type, swa_full in itertools.product(_TYPES, (True, False)):
            cache = Cache(_WINDOW, kv_type, swa_full, flash_attention=True, batch=BATCH)
            context = Context(_WINDOW, kv_type=kv_type, swa_full=swa_full, flash_attention=True)
            yield Held(name, kv_type, swa_full, geometry.kv(cache), _allocated(path, context))


def _allocated(path: Path, context: Context) -> int:
    with llama_log() as lines:
        LlamaRuntime(path, context).close()
    return kv_bytes("".join(lines))


def kv_bytes(log: str) -> int:
    """The sum of the KV buffers in a log of llama.cpp."""
    sizes = re.findall(r"KV buffer size = +([\d.]+) MiB", log)
    if not sizes:
        raise RuntimeError("llama.cpp does not log its KV buffers any more")
    return round(sum(map(float, sizes)) * 2**20)


def table(held: list[Held]) -> Iterator[str]:
    """For people."""
    yield f"{'model':24} type  cache       planned   allocated  error"
    for each in held:
        cache = "full" if each.swa_full else "windowed"
        sizes = f"{each.planned / 2**20:8.2f} MB {each.allocated / 2**20:8.2f} MB"
        yield f"{each.model:24} {each.kv_type:5} {cache:8} {sizes} {each.error:6.4f}"
