"""How a model is best run on a machine: window, KV cache, layers on the graphics card, in words as well."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.answers import ReadAhead
from app.errors import ModelError
from app.llm.joined import BESIDE
from app.models.geometry import CELLS, Cache, Geometry, KvType
from app.models.memory import GB, Memory

SHORTEST = 2048
"""Tokens; a window that is shorter holds no question with its passages."""

_OF_RAM = 0.75
"""The rest is the system's, the browser's and that of Transom itself with its embedder."""
_OF_UNIFIED = 2 / 3
"""What Apple's systems let their graphics part use, of machines up to 36 GB; they allow a little more above."""
_KEPT_ON_CARD = GB
"""Bytes of a card's memory for the screen and for what its driver needs."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person has set; None leaves it to the plan."""

    window: int | None = None
    """Tokens; None: as many as the model was trained for."""
    kv_type: KvType | None = None
    swa_full: bool | None = None
    gpu_layers: int = -1
    """At most so many; -1: as many as fit."""
    read_ahead: ReadAhead = "off"
    """Whether passages that were read ahead are to be joined; `auto`: where there is no graphics card."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run a model. Sizes are bytes."""

    cache: Cache
    gpu_layers: int
    """As llama.cpp counts them: the output is one more than the layers."""
    weights: int
    kv: int
    compute: int
    on_card: int
    """Of all three together, what lies on the card."""
    fits: bool
    shortened: bool
    """Whether the window is shorter than wished, because no longer one fits."""
    reasons: tuple[str, ...]
    """Sentences that explain it."""

    @property
    def total(self) -> int:
        """All it takes, wherever it lies."""
        return self.weights + self.kv + self.compute


def plan(geometry: Geometry, memory: Memory, wish: Wish, batch: int) -> Plan:
    """The plan for a machine with this memory; `batch` is how many tokens are evaluated at once.

    In this order: the whole window as wished, everything on the card if there is one, as f16, else as q8_0; then part
    of the layers on the card; then a shorter window. Local layers keep their sliding window only, unless wished
    otherwise: that is faster as well as smaller, and what it forgets can be brought back from marks and saved windows.
    But passages that were read ahead can only be joined to a cache that keeps all: where that is wished and there is
    room for it, they keep the whole window.
    Raises :class:`ModelError` where the KV cache cannot be of the wished type.
    """
    return _Planner(geometry, memory, wish, batch).plan()


class _Planner:
    def __init__(self, geometry: Geometry, memory: Memory, wish: Wish, batch: int) -> None:
        self._geometry = geometry
        self._wish = wish
        self._batch = batch
        self._memory = memory
        self._unified = memory.unified and wish.gpu_layers != 0
        self._ram = int(memory.ram * (_OF_UNIFIED if self._unified else _OF_RAM))
        self._card = max(0, memory.vram - _KEPT_ON_CARD) if wish.gpu_layers else 0
        self._window = min(wish.window or geometry.trained, geometry.trained)

    def plan(self) -> Plan:
        if self._wish.kv_type and not self._geometry.can_hold(self._wish.kv_type):
            raise ModelError(f"The KV cache of this model cannot be kept as {self._wish.kv_type}.", "Use f16.")
        whole = [self._split(cache) for cache in self._caches(self._window)]
        most = self._most_layers()
        for wanted in (most, 0) if self._card else (0,):
            for found in whole:
                if found.fits and found.gpu_layers >= wanted:
                    return self._explained(found)
        return self._explained(self._shorter())

    def _most_layers(self) -> int:
        everything = len(self._geometry.layers) + 1
        return everything if self._wish.gpu_layers < 0 else min(everything, self._wish.gpu_layers)

    def _caches(self, window: int) -> Iterator[Cache]:
        """From the most wanted to the smallest."""
        for full in self._fulls():
            for kv_type in (self._wish.kv_type,) if self._wish.kv_type else _PREFERRED:
                if self._geometry.can_hold(kv_type):
                    joins = full and self._wish.read_ahead != "off" and self._geometry.can_shift(kv_type)
                    yield Cache(window, kv_type, full, True, self._batch, BESIDE if joins else 0)

    def _fulls(self) -> tuple[bool, ...]:
        """Whether local layers keep the whole window."""
        if not self._geometry.sliding_window:
            return (True,)
        if self._wish.swa_full is not None:
            return (self._wish.swa_full,)
        slow = not self._card and not self._unified
        joins = self._wish.read_ahead == "on" or (self._wish.read_ahead == "auto" and slow)
        return (True, False) if joins else (False,)

    def _shorter(self) -> Plan:
        """The longest window that fits with the smallest cache, or the shortest that does not."""
        *_, smallest = self._caches(self._window)
        low, high = 0, self._window // CELLS
        while low < high:
            middle = (low + high + 1) // 2
            if self._split(replace(smallest, window=middle * CELLS)).fits:
                low = middle
            else:
                high = middle - 1
        return self._split(replace(smallest, window=max(low * CELLS, min(SHORTEST, self._window))))

    def _split(self, cache: Cache) -> Plan:
        """Puts as many of the last layers on the card as it holds."""
        geometry, compute = self._geometry, self._geometry.compute(cache)
        weights, kv = geometry.weights, geometry.kv(cache)
        layers, on_card = self._on_card(cache, compute)
        in_ram = weights + kv + compute - on_card
        if layers:  # both parts compute, and the embeddings are wanted in both
            in_ram += compute + geometry.output_weights
        if self._unified:
            layers = self._most_layers()
        return Plan(cache, layers, weights, kv, compute, on_card, in_ram <= self._ram, False, ())

    def _on_card(self, cache: Cache, compute: int) -> tuple[int, int]:
        geometry, used, layers = self._geometry, compute, 0
        parts = [geometry.output_weights]
        parts += [layer.weights + geometry.kv_of(layer, cache) for layer in reversed(geometry.layers)]
        for part in parts[: self._most_layers()]:
            if used + part > self._card:
                break
            used, layers = used + part, layers + 1
        return layers, used if layers else 0

    def _explained(self, found: Plan) -> Plan:
        found = replace(found, shortened=found.fits and found.cache.window < self._window)
        return replace(found, reasons=tuple(_reasons(found, self._geometry, self._memory, self._window)))


_PREFERRED: tuple[KvType, ...] = ("f16", "q8_0")


def _reasons(found: Plan, geometry: Geometry, memory: Memory, wished: int) -> Iterator[str]:
    cache = found.cache
    yield (
        f"It takes {_gb(found.total)}: weights {_gb(found.weights)}, KV cache {_gb(found.kv)} for {cache.window:,} "
        f"tokens, and {_gb(found.compute)} to compute in."
    )
    yield _where(found, geometry, memory)
    if not found.fits:
        yield "That is more than this machine has to spare: take a smaller model."
    elif found.shortened:
        yield f"A window of {wished:,} tokens does not fit, so it is {cache.window:,}."
    if cache.kv_type != "f16":
        plain = geometry.kv(replace(cache, kv_type="f16"))
        yield f"The KV cache is kept as {cache.kv_type}; as f16 it would take {_gb(plain)}."
    if cache.kv_type not in _PREFERRED:
        yield "It is used only if it answers like f16 in a self-test, when the model is loaded."
    if geometry.sliding_window:
        yield _windowed(cache, geometry)


def _where(found: Plan, geometry: Geometry, memory: Memory) -> str:
    layers = len(geometry.layers)
    if memory.unified:
        return "The graphics part computes in the machine's own memory."
    if not memory.vram:
        return (
            "No graphics card is planned for: there is none whose memory can be read, or llama.cpp was built without."
        )
    if found.gpu_layers > layers:
        return f"All of it is computed on the graphics card ({_gb(found.on_card)})."
    return f"{min(found.gpu_layers, layers)} of {layers} layers fit the graphics card ({_gb(found.on_card)})."


def _windowed(cache: Cache, geometry: Geometry) -> str:
    local = sum(layer.local for layer in geometry.layers)
    said = f"{local} of {len(geometry.layers)} layers see the last {geometry.sliding_window:,} tokens only"
    if cache.swa_full:
        return f"{said}; they keep the whole window all the same (model.swa_full, answering.read_ahead)."
    full = geometry.kv(replace(cache, swa_full=True))
    return f"{said} and keep no more than these, which is faster as well; the whole window would take {_gb(full)}."


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
