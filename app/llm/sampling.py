"""How a model's next token is chosen, and when it has to be stopped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST = 64
"""Tokens of the longest block that is looked for."""
_TIMES = 4
"""How often a block has to come in a row; a long one says the same text four times over."""
_COVERED = 96
"""Tokens that the repetitions have to cover; so a short block has to come more often: `ha ha ha` is no loop yet."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_k: int = 0
    """0 considers every token."""
    top_p: float = 1.0
    seed: int = 0
    grammar: str = ""
    """GBNF that what is said has to keep to, from its rule `root`; empty leaves the model free."""


def json_grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of JSON of this schema; strings should have a `maxLength`, or nothing makes a model end them.

    Whoever reads it decodes with "replace", since llama.cpp lets bytes through that are no UTF-8, and expects that the
    limit on tokens cuts it short.
    """
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    # Strings of this library's grammar may hold bare line breaks, which JSON's may not.
    return str(json_schema_to_gbnf(json.dumps(schema))).replace(r'[^"\\]', r'[^"\\\x7F\x00-\x1F]')


def repeats(tokens: Sequence[int]) -> bool:
    """Whether `tokens` end in the same block of 1 to 64 tokens again and again, as a model does that is caught.

    Tables, lists of numbers and code do not end so: their rows have a form in common, but not every token.
    """
    return any(_is_periodic(tokens, block) for block in range(1, _LONGEST + 1))


def _is_periodic(tokens: Sequence[int], block: int) -> bool:
    covered = max(_COVERED, block * _TIMES)
    if len(tokens) < covered:
        return False
    # From the end, because what does not repeat is mostly told by its last tokens.
    last = len(tokens) - 1
    return all(tokens[last - back] == tokens[last - back - block] for back in range(covered - block))
