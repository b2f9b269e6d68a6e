"""How the chosen model is set up: as planned for this machine, where a plan can be made and kept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import ModelError
from app.llm.agreement import require_agreement
from app.llm.runtime import BATCH, Context
from app.models.adapters import adapters_for
from app.models.geometry import Cache, Geometry, KvType
from app.models.header import read_header
from app.models.memory import Memory, measure
from app.models.plan import SHORTEST, Plan, Wish, plan
from app.models.resolve import ResolvedModel
from app.settings import Settings

SHORTENED = "There is no memory for a window of {wished:,} tokens (window.tokens), so it is {window:,}."

_EXACT: tuple[KvType, ...] = ("f16", "q8_0")
"""What a KV cache may be kept as without a self-test."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a model is to be run."""

    context: Context
    smaller: tuple[Context, ...] = ()
    """What to try, one after the other, where there is no memory for it."""
    notice: str = ""
    """What the person should know about the plan; may be empty."""

    def told(self, taken: Context) -> str:
        """What the person should know, once it is clear which of the contexts was taken; may be empty."""
        if taken == self.context:
            return self.notice
        kept = f", kept as {taken.kv_type}" if taken.kv_type != self.context.kv_type else ""
        where = ", and no layer is on the graphics card" if taken.gpu_layers != self.context.gpu_layers else ""
        return (
            f"The memory that is free did not suffice for a window of {self.context.window:,} tokens: it is "
            f"{taken.window:,} tokens{kept}{where}. Close other programs, or set a smaller window.tokens."
        )


def wish_of(settings: Settings) -> Wish:
    """What the settings leave to the plan, and what not."""
    wanted = settings.model
    ahead = settings.answering.read_ahead
    return Wish(settings.window.tokens, wanted.kv_type, wanted.swa_full, wanted.gpu_layers, ahead)


def set_up(model: ResolvedModel, settings: Settings, *, memory: Memory | None = None) -> Setup:
    """How to run a model. A KV cache of a wished type that is neither f16 nor q8_0 is tested first: that takes seconds.

    Where the header says too little for a plan, or nothing fits, it is as the settings say: llama.cpp, which maps
    the weights from the file, may still manage. Raises :class:`ModelError` where a wish cannot be granted.
    """
    memory = memory or measure()
    wish = wish_of(settings)
    found = _plan(model, wish, memory)
    setup = _as_planned(found, wish, memory) if found and found.fits else _as_wished(wish, settings.window.tokens)
    adapters = adapters_for(model.path, settings.model.lora)
    setup = replace(setup, context=_joining(replace(setup.context, adapters=adapters), model.path, wish))
    if setup.context.kv_type not in _EXACT:
        require_agreement(model.path, setup.context, settings.home)
    return replace(setup, smaller=tuple(_smaller(setup.context, model.path, wish)))


def bytes_per_token(path: Path, context: Context) -> float:
    """What the KV cache of a model in this context keeps of a token; 0 where its header does not tell."""
    geometry = _geometry(path)
    if geometry is None:
        return 0.0
    cache = Cache(context.window, context.kv_type, context.swa_full, context.flash_attention is not False, BATCH)
    return geometry.kv(cache) / context.window


def _as_planned(found: Plan, wish: Wish, memory: Memory) -> Setup:
    # Cards of other makers are not seen by the plan, but llama.cpp may know how to use them.
    layers = found.gpu_layers if memory.vram or memory.unified else wish.gpu_layers
    cache = found.cache
    told = SHORTENED.format(wished=wish.window, window=cache.window) if found.shortened else ""
    return Setup(Context(cache.window, layers, cache.kv_type, cache.swa_full), notice=told)


def _as_wished(wish: Wish, window: int) -> Setup:
    return Setup(Context(window, wish.gpu_layers, wish.kv_type or "f16", bool(wish.swa_full)))


def _smaller(context: Context, path: Path, wish: Wish) -> Iterator[Context]:
    """A coarser KV cache, then shorter windows, then the shortest without a graphics card."""
    geometry = _geometry(path)
    if wish.kv_type is None and context.kv_type == "f16" and geometry and geometry.can_hold("q8_0"):
        context = _joining(replace(context, kv_type="q8_0"), path, wish)
        yield context
    while context.window > SHORTEST:
        context = replace(context, window=max(SHORTEST, context.window // 2))
        yield context
    if context.gpu_layers:
        yield replace(context, gpu_layers=0)


def _joining(context: Context, path: Path, wish: Wish) -> Context:
    """The context, with passages being joined where that is wished and possible."""
    geometry = _geometry(path) if wish.read_ahead != "off" else None
    keeps_all = context.swa_full or (geometry is not None and not geometry.sliding_window)
    return replace(context, joins=bool(geometry and keeps_all and geometry.can_shift(context.kv_type)))


def _geometry(path: Path) -> Geometry | None:
    try:
        return Geometry.of(read_header(path))
    except ModelError:
        return None


def _plan(model: ResolvedModel, wish: Wish, memory: Memory) -> Plan | None:
    geometry = _geometry(model.path)
    return plan(geometry, memory, wish, BATCH) if geometry else None
