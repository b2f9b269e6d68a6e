"""The memory plan of a model as a picture: what it takes, and what this machine has."""

from html import escape

from app.models.memory import Memory
from app.models.plan import Plan

_GB = 1e9


def plan_html(plan: Plan, memory: Memory) -> str:
    """A bar of the machine's memory, with the parts that the model takes, and the plan in words."""
    whole = max(memory.ram + memory.vram, plan.total)
    parts = (("weights", "Weights", plan.weights), ("kv", "Window", plan.kv), ("compute", "Computing", plan.compute))
    bars = "".join(
        f'<span class="transom-{kind}" style="width:{max(100 * size / whole, 0.5):.2f}%"></span>'
        for kind, _, size in parts
    )
    names = "".join(f'<li><i class="transom-{kind}"></i>{name} {size / _GB:.2f} GB</li>' for kind, name, size in parts)
    free = max(0, whole - plan.total) / _GB
    verdict = "It fits." if plan.fits else "It does not fit."
    said = "".join(f"<p>{escape(reason)}</p>" for reason in plan.reasons)
    label = f"{plan.total / _GB:.1f} of {whole / _GB:.1f} GB"
    return (
        f'<div class="transom-plan" role="group" aria-label="Memory plan"><b>{verdict}</b>'
        f'<div class="transom-bar" role="img" aria-label="{label}">{bars}</div>'
        f"<ul>{names}<li>{free:.1f} GB for all else</li></ul>{said}</div>"
    )
