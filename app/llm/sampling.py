"""How a model's next token is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_k: int = 0
    """0 considers every token."""
    top_p: float = 1.0
    seed: int = 0
