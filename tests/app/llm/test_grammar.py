"""Weights are random here: whatever parses does so because of the grammar."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.llm.runtime import Context, LlamaRuntime
from app.llm.sampling import Sampling, json_grammar

SEARCHES = {
    "type": "object",
    "properties": {
        "stands_alone": {"type": "boolean"},
        "searches": {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 1, "maxItems": 3},
        "kind": {"enum": ["fact", "comparison"]},
    },
    "required": ["stands_alone", "searches", "kind"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", params=["dense_gemma4", "shared_gemma4"])
def runtime(request: pytest.FixtureRequest) -> Iterator[LlamaRuntime]:
    path: Path = request.getfixturevalue(request.param)
    runtime = LlamaRuntime(path, Context(1024))
    yield runtime
    runtime.close()


def said(runtime: LlamaRuntime, sampling: Sampling, limit: int = 400) -> tuple[str, bool]:
    """The text, and whether the model ended it."""
    runtime.keep(0)
    runtime.decode(runtime.tokenize("<bos>When was the tower lit?", special=True))
    sampler, data = runtime.sampler(sampling), b""
    try:
        for _ in range(limit):
            token = sampler.sample()
            if runtime.is_end(token):
                return data.decode("utf-8", "replace"), True
            data += runtime.piece(token)
            runtime.decode([token])
    finally:
        sampler.close()
    return data.decode("utf-8", "replace"), False


@pytest.mark.parametrize("seed", range(4))
def test_what_a_grammar_binds_is_json_of_the_schema(runtime: LlamaRuntime, seed: int) -> None:
    grammar = json_grammar(SEARCHES)
    text, ended = said(runtime, Sampling(temperature=1.5, seed=seed, grammar=grammar))
    value: dict[str, Any] = json.loads(text)
    assert ended
    assert set(value) == {"stands_alone", "searches", "kind"}
    assert isinstance(value["stands_alone"], bool)
    assert value["kind"] in {"fact", "comparison"}
    assert 1 <= len(value["searches"]) <= 3
    assert all(len(search) <= 12 for search in value["searches"] if "\ufffd" not in search)


def test_the_likeliest_token_is_bound_too(runtime: LlamaRuntime) -> None:
    text, ended = said(runtime, Sampling(grammar=json_grammar({"enum": ["yes", "no"]})))
    assert ended and json.loads(text) in {"yes", "no"}


def test_without_a_grammar_the_model_is_free(runtime: LlamaRuntime) -> None:
    text, _ = said(runtime, Sampling(temperature=1.5, seed=1), limit=40)
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_what_is_no_grammar_is_refused(runtime: LlamaRuntime) -> None:
    with pytest.raises(ValueError, match="grammar"):
        runtime.sampler(Sampling(grammar="root ::= missing"))
