"""LoRA adapters: what settings and command line call FILE[:SCALE], and whether one fits a model.

Checked from the headers, before llama.cpp sees the file: of what does not fit it says hardly why, and some of it would
end the whole process.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.errors import ModelError
from app.llm.loading import Adapter
from app.models.files import check_gguf
from app.models.header import Header, Tensor, read_header

_SCALED = re.compile(r"(?P<file>.+):(?P<scale>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


def parse_adapter(text: str) -> Adapter:
    """What FILE[:SCALE] means; without a scale the adapter counts once."""
    found = _SCALED.fullmatch(text)
    file, scale = (found["file"], float(found["scale"])) if found else (text, 1.0)
    return Adapter(Path(file).expanduser().absolute(), scale)


def adapters_for(model: Path, named: Sequence[str]) -> tuple[Adapter, ...]:
    """The adapters of these names. Raises :class:`ModelError` where one is missing, damaged or does not fit."""
    adapters = tuple(parse_adapter(text) for text in named)
    for adapter in adapters:
        check_adapter(adapter.path, model)
    return adapters


def check_adapter(path: Path, model: Path) -> None:
    """Raises :class:`ModelError` where the file is no LoRA, or none for this model."""
    check_gguf(path)
    header = read_header(path)
    if fault := _no_lora(header):
        raise ModelError(
            f"{path.name} {fault}.", "Name the GGUF of a LoRA, as llama.cpp's convert_lora_to_gguf makes it."
        )
    if fault := next(_misfits(header, read_header(model), model.name), ""):
        raise ModelError(
            f"{path.name} is an adapter for another model: {fault}.", f"Use one that was made for {model.name}."
        )


def _no_lora(header: Header) -> str:
    said = header.metadata
    if said.get("general.type") != "adapter":
        return "is no adapter"
    if said.get("adapter.type") != "lora":
        return f"is an adapter of the kind {said.get('adapter.type')}, not a LoRA"
    if "adapter.alora.invocation_tokens" in said:
        return "is an adapter that is to work from certain words on only (aLoRA), which Transom cannot do"
    if not isinstance(said.get("adapter.lora.alpha", 0.0), float):
        return "is damaged: its alpha is no number"
    if not header.tensors:
        return "is an adapter without any weights"
    return ""


def _misfits(adapter: Header, model: Header, name: str) -> Iterator[str]:
    kinds = [header.metadata.get("general.architecture", "unknown") for header in (adapter, model)]
    if kinds[0] != kinds[1]:
        yield f"its architecture is {kinds[0]}, that of {name} is {kinds[1]}"
    base = {tensor.name: tensor for tensor in model.tensors}
    found = {tensor.name: tensor for tensor in adapter.tensors}
    for each in found:
        target, _, part = each.rpartition(".lora_")
        if each.endswith("_norm.weight"):
            continue  # llama.cpp leaves them out too
        if part not in ("a", "b"):
            yield f"it holds {each}, which is no part of a LoRA"
        elif f"{target}.lora_{'b' if part == 'a' else 'a'}" not in found:
            yield f"{each} lacks its other half"
        elif target not in base:
            yield f"{name} has no {target}"
        elif part == "a" and not _fits(base[target], found, target):
            yield f"its {target} is not of the size that {name} has"


def _fits(base: Tensor, found: Mapping[str, Tensor], target: str) -> bool:
    """Sizes as llama.cpp wants them: two thin matrices that make one of the base's size."""
    (inner, outer, *more), (wide, rank, *more_a), (rank_b, high, *more_b) = (
        (*tensor.shape, 1, 1) for tensor in (base, found[f"{target}.lora_a"], found[f"{target}.lora_b"])
    )
    if target == "token_embd.weight":  # looked up by token, and so laid the other way round
        return (rank_b, high, rank) == (wide, inner, outer)
    return (wide, high, rank) == (inner, outer, rank_b) and more[:1] == more_a[:1] == more_b[:1]
