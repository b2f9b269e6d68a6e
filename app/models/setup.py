"""How the chosen model is set up: as planned for this machine, where a plan can be made and kept."""

from app.errors import ModelError
from app.llm.runtime import BATCH, Context
from app.models.geometry import Geometry
from app.models.header import read_header
from app.models.memory import Memory, measure
from app.models.plan import Plan, Wish, plan
from app.models.resolve import ResolvedModel
from app.settings import Settings

SHORTENED = "There is no memory for a window of {wished:,} tokens (window.tokens), so it is {window:,}."


def set_up(model: ResolvedModel, settings: Settings, *, memory: Memory | None = None) -> tuple[Context, str]:
    """The context to run a model with, and what the person should know about it; may be empty.

    Where the header says too little for a plan, or nothing fits, it is as the settings say: llama.cpp, which maps
    the weights from the file, may still manage.
    """
    memory = memory or measure()
    wish = Wish(window=settings.window.tokens, gpu_layers=settings.model.gpu_layers)
    found = _plan(model, wish, memory)
    if found is None or not found.fits:
        return Context(settings.window.tokens, settings.model.gpu_layers), ""
    # Cards of other makers are not seen by the plan, but llama.cpp may know how to use them.
    layers = found.gpu_layers if memory.vram or memory.unified else settings.model.gpu_layers
    cache = found.cache
    context = Context(cache.window, layers, cache.kv_type, cache.swa_full)
    return context, _notice(found, settings.window.tokens)


def _plan(model: ResolvedModel, wish: Wish, memory: Memory) -> Plan | None:
    try:
        geometry = Geometry.of(read_header(model.path))
    except ModelError:
        return None
    return plan(geometry, memory, wish, BATCH)


def _notice(found: Plan, wished: int) -> str:
    return SHORTENED.format(wished=wished, window=found.cache.window) if found.shortened else ""
