"""The settings that can be changed on their page, and the memory plan that follows from them."""

from typing import Any, get_args

import streamlit as st

from app.answers import Scope, Thinking
from app.errors import ModelError
from app.models.geometry import KvType
from app.models.memory import measure
from app.models.resolve import resolve
from app.settings import Settings
from app.tuning import planned
from app.ui.plan import plan_html
from app.ui.thread import show_error

Answered = dict[str, dict[str, Any]]
"""By section and name."""

_LARGEST_WINDOW = 1 << 20


def ask_memory(written: Settings) -> Answered:
    """The window, and how it is kept."""
    columns = st.columns(3)
    window = columns[0].number_input(
        "Window (tokens)",
        512,
        _LARGEST_WINDOW,
        written.window.tokens,
        step=1024,
        help="How much the model sees at once.",
    )
    kinds: list[KvType | None] = [None, *get_args(KvType)]
    kind = columns[1].selectbox(
        "Kept as",
        kinds,
        kinds.index(written.model.kv_type),
        format_func=lambda each: each or "what fits",
        help="What the numbers in the window's KV cache are kept as: q8_0 takes half of f16.",
    )
    layers = columns[2].number_input(
        "Layers on the graphics card", -1, 1000, written.model.gpu_layers, help="-1: as many as fit."
    )
    return {"window": {"tokens": window}, "model": {"kv_type": kind, "gpu_layers": layers}}


def ask_adapters(written: Settings) -> list[str]:
    """The LoRA adapters that the model wears, a line for each."""
    said = st.text_area(
        "LoRA adapters",
        "\n".join(written.model.lora),
        placeholder="~/loras/style.gguf:0.5",
        height=68,
        help="GGUF files, one a line, each with how much it counts behind a colon.",
    )
    return [line.strip() for line in said.splitlines() if line.strip()]


def show_plan(settings: Settings) -> None:
    """What the model that answers would take with these settings."""
    try:
        model = resolve(settings.model.name, settings.models_folder)
        memory = measure()
        st.html(plan_html(planned(model.path, settings, memory), memory))
    except ModelError as error:
        show_error(error)


def ask_answering(written: Settings) -> Answered:
    """How much is read for a question, and when there is said to be no answer."""
    before = written.answering
    columns = st.columns(2)
    with columns[0]:
        passages = st.number_input("Passages for a question", 1, 100, before.passages)
        patience = st.number_input(
            "Patience (seconds)", 1.0, 3600.0, before.patience, help="Until the first word: so much is read at most."
        )
        confidence = st.slider(
            "Least confidence",
            0.0,
            1.0,
            before.min_confidence,
            0.05,
            help="If the passages answer a question with less, the model is not asked.",
        )
        longest = st.number_input("Longest answer (tokens)", 16, _LARGEST_WINDOW, before.answer_tokens, step=128)
    with columns[1]:
        scopes: list[Scope | None] = [None, *get_args(Scope)]
        scope = st.selectbox(
            "How much a question brings",
            scopes,
            scopes.index(before.scope),
            format_func=lambda each: each or "what fits window and patience",
        )
        kinds: list[Thinking] = list(get_args(Thinking))
        thinking = st.selectbox(
            "Thinking",
            kinds,
            kinds.index(before.thinking),
            format_func=lambda each: {"auto": "where there is time for it"}.get(each, each),
        )
        temperature = st.number_input(
            "Temperature",
            0.0,
            2.0,
            before.temperature,
            step=0.1,
            placeholder="as the model's makers advise",
            help="0 always takes the likeliest word.",
        )
    wanted = {"passages": passages, "patience": patience, "min_confidence": confidence, "answer_tokens": longest}
    return {"answering": {**wanted, "scope": scope, "thinking": thinking, "temperature": temperature}}


def ask_embedding(written: Settings) -> Answered:
    """Which model turns text into vectors."""
    model = st.text_input(
        "Embedder",
        written.embedding.model,
        help="A sentence-transformers name or folder. Another one means that everything is embedded anew.",
    )
    return {"embedding": {"model": model.strip()}}
