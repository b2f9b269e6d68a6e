"""What a GGUF file is, whether Transom has a use for it, and how it would run here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from app.errors import ModelError
from app.models.files import check_language_model
from app.models.geometry import Geometry
from app.models.header import Header, Value, read_header
from app.models.memory import Memory, measure
from app.models.plan import Plan, Wish, plan
from app.models.resolve import licence_of, locate, resolve
from app.settings import Settings

_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip
"""What llama.cpp calls the mixtures of quantizations, by number."""

_TURNS = (
    ("<|turn>", "Gemma 4"),
    ("<start_of_turn>", "Gemma 3 and older"),
    ("<|im_start|>", "ChatML"),
    ("<|start_header_id|>", "Llama 3"),
    ("[INST]", "Mistral"),
)
"""Signs of the turn formats that are known by name; others work as well, if they can be rendered."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A GGUF file, as its header has it; None and empty where that says nothing."""

    path: Path
    title: str
    architecture: str
    layers: int | None
    parameters: int
    """Number of weights."""
    quantization: str
    bits: float
    """For each weight."""
    size: int
    """Bytes on disk."""
    licence: str
    trained_window: int | None
    sliding_window: int | None
    local_layers: int
    """How many layers see the sliding window only."""
    soft_caps: tuple[tuple[str, float], ...]
    """Name (attention, final) and value."""
    turn_format: str
    """Of the chat template; empty where there is none."""
    fault: str
    """Why Transom has no use for it; empty if it answers questions."""
    plan: Plan | None
    """For the window as set; None where there is a fault or the header says too little."""
    longest_window: int | None
    """Tokens that this machine has room for."""


def inspect_model(named: str | None, settings: Settings) -> Inspection:
    """As :func:`inspect_file`, of a model by name, or of the one that answers, planned as the settings wish."""
    from app.llm.runtime import BATCH  # brings llama.cpp, which a list of models does without
    from app.models.setup import wish_of

    folder = settings.models_folder
    path = locate(named, folder) if named else resolve(settings.model.name, folder).path
    if not path.exists():
        raise ModelError(f"{named} is not here yet.", f"Fetch it: `transom models pull '{named}'`.")
    return inspect_file(path, measure(), wish_of(settings), BATCH)


def inspect_file(path: Path, memory: Memory, wish: Wish, batch: int) -> Inspection:
    """Reads the header of a GGUF. Raises :class:`ModelError` where it is missing, damaged or no GGUF."""
    header = read_header(path)
    said, fault = header.metadata, _fault(path, header)
    geometry = _geometry(header)
    planned = plan(geometry, memory, wish, batch) if geometry and not fault else None
    longest = plan(geometry, memory, replace(wish, window=None), batch) if geometry and not fault else None
    count = sum(prod(tensor.shape) for tensor in header.tensors)
    weights = sum(tensor.end - tensor.start for tensor in header.tensors)
    return Inspection(
        path=path,
        title=str(said.get("general.name", path.stem)),
        architecture=str(said.get("general.architecture", "")),
        layers=len(geometry.layers) if geometry else None,
        parameters=count,
        quantization=_quantization(said),
        bits=round(8 * weights / count, 1) if count else 0.0,
        size=path.stat().st_size,
        licence=licence_of(path),
        trained_window=geometry.trained if geometry else None,
        sliding_window=geometry.sliding_window or None if geometry else None,
        local_layers=sum(layer.local for layer in geometry.layers) if geometry else 0,
        soft_caps=_soft_caps(said),
        turn_format=_turn_format(said),
        fault=fault,
        plan=planned,
        longest_window=longest.cache.window if longest and longest.fits else None,
    )


def inspection_json(inspection: Inspection) -> dict[str, Any]:
    """What `transom models inspect --json` prints."""
    planned = inspection.plan
    return {
        **asdict(inspection),
        "path": str(inspection.path),
        "soft_caps": dict(inspection.soft_caps),
        "plan": planned and {**asdict(planned), "total": planned.total},
    }


def _fault(path: Path, header: Header) -> str:
    try:
        check_language_model(path)
    except ModelError as error:
        return error.message
    if not isinstance(header.metadata.get(_TEMPLATE), str):
        return f"{path.name} has no chat template: it was not made for conversation."
    return ""


_TEMPLATE = "tokenizer.chat_template"


def _geometry(header: Header) -> Geometry | None:
    try:
        return Geometry.of(header)
    except ModelError:
        return None  # a part or companion of a model need not have layers


def _quantization(said: Mapping[str, Value]) -> str:
    number = said.get("general.file_type")
    return _FILE_TYPES.get(number, "") if isinstance(number, int) else ""


def _soft_caps(said: Mapping[str, Value]) -> tuple[tuple[str, float], ...]:
    keys = {"attention": "attn_logit_softcapping", "final": "final_logit_softcapping"}
    found = {name: said.get(f"{said.get('general.architecture')}.{key}") for name, key in keys.items()}
    return tuple((name, round(value, 3)) for name, value in found.items() if isinstance(value, float) and value)


def _turn_format(said: Mapping[str, Value]) -> str:
    template = said.get(_TEMPLATE)
    if not isinstance(template, str):
        return ""
    return next((name for sign, name in _TURNS if sign in template), "its own")
