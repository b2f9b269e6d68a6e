"""Does a model say the same with a coarser KV cache? A self-test, made once for a file and a build of llama.cpp.

::

    TRANSOM_HOME/agreements.json    {hash of a window's key: {"same": ..., "divergence": ...}}
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelError
from app.jsonfile import read_json, write_json
from app.llm.identity import window_key
from app.llm.loading import Context
from app.llm.runtime import LlamaRuntime

_LEAST_SAME = 0.9
"""Share of equal top tokens. A q8_0 cache reaches .95 and more (docs/models.md); below .9 every sentence of an answer
takes another turn."""
_MOST_DIVERGENCE = 0.05
"""Nats, the mean over all places: about what quantizing a model's weights to four bits costs; its cache is to add no
more."""
_BATCH = 32
"""Tokens evaluated at once: the logits of all of them are held, for a vocabulary of 262,144 a megabyte each."""
_TOKENS = 1024
"""Window of the test; the text is less than half as long with any usual vocabulary."""
_SKIPPED = 32
"""Places at the start, where a model still guesses and has hardly anything to attend to."""

_TEXT = """\
Answer the questions from the passages only, and name the passage.

[1] Harbour office, annual report, page 12. In 1987 the eastern mole was lengthened by 140 metres at a cost of 2.3 \
million crowns. The work took nineteen months, five more than planned, because a storm in February carried away the \
first caisson. Since then ships with a draught of up to 9.5 metres can enter at low water.

[2] Minutes of the council, 4 May 1991. Mrs. Aalto asked why the light on the eastern mole had been dark for eleven \
nights in March. The harbour master, Mr. Okafor, answered that the lamp had been ordered from Gdansk and was delivered \
with the wrong socket; a fisherman from Lower Street had lent his own lantern meanwhile.

[3] Tariffs. Section 4: Vessels of less than 12 metres pay 18 crowns a night, others 2 crowns for each metre. \
Section 5: Who stays longer than fourteen nights pays half from the fifteenth night on. Section 6: Pilots, lifeboats \
and ships of the state pay nothing.

Question: By how much was the eastern mole lengthened, and when?
Answer: By 140 metres, in 1987 [1].

Question: Why was the light dark in March 1991?
Answer: The lamp had been delivered from Gdansk with the wrong socket [2].

Question: What does a boat of ten metres pay for twenty nights?
Answer: 18 crowns for each of the first fourteen nights and half of that, 9 crowns, for the other six: 252 and 54, so \
306 crowns in all [3].

Question: Who lent a lantern, and who had to explain it to the council?
Answer: A fisherman from Lower Street lent it; the harbour master, Mr. Okafor, explained it to Mrs. Aalto [2].
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two ways of running a model are."""

    same: float
    """Share of places where the likeliest token is the same."""
    divergence: float
    """Mean Kullback-Leibler divergence of what may come next, in nats."""

    @property
    def enough(self) -> bool:
        """Whether nobody would notice."""
        return self.same >= _LEAST_SAME and self.divergence <= _MOST_DIVERGENCE


def require_agreement(path: Path, context: Context, home: Path) -> None:
    """Raises :class:`ModelError` where the KV cache of this context changes what the model says.

    To find out, the model is loaded twice; the figures are kept in `home`.
    """
    found = _kept(home, path, context)
    if found.enough:
        return
    raise ModelError(
        f"A KV cache of {context.kv_type} changes what {path.name} says: {found.same:.0%} of the likeliest tokens are "
        f"the same as with f16 (at least {_LEAST_SAME:.0%} should be), and the divergence is {found.divergence:.2g} "
        f"(at most {_MOST_DIVERGENCE}).",
        "Set model.kv_type to q8_0, or leave it unset.",
    )


def measure_agreement(path: Path, context: Context) -> Agreement:
    """Evaluates the same text with the KV cache of `context` and with f16; seconds, for large models a minute.

    Raises :class:`ModelError` where the model cannot be loaded.
    """
    plain = [_likelihoods(row).astype(np.float16) for row in _logits(path, Context(context.window, context.gpu_layers))]
    coarse = (_likelihoods(row) for row in _logits(path, context))
    rows = [(a.argmax() == b.argmax(), _divergence(a, b)) for a, b in zip(plain, coarse, strict=True)]
    same, divergence = np.mean(rows[_SKIPPED:], axis=0)
    return Agreement(float(same), float(divergence))


def _logits(path: Path, context: Context) -> Iterator[NDArray[np.float32]]:
    """Behind each token of the text."""
    with closing(LlamaRuntime(path, context)) as runtime:
        bos, _ = runtime.special_texts
        tokens = runtime.tokenize(bos, special=True) if runtime.wants_bos else []
        tokens += runtime.tokenize(_TEXT, special=False)
        tokens = tokens[: context.window]
        for start in range(0, len(tokens), _BATCH):
            yield from runtime.logits(tokens[start : start + _BATCH])


def _likelihoods(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of what may come next."""
    shifted: NDArray[np.float32] = logits - logits.max()
    shifted -= np.log(np.exp(shifted).sum())
    return shifted


def _divergence(left: NDArray[np.float16], right: NDArray[np.float32]) -> float:
    exact = left.astype(np.float32)
    return float((np.exp(exact) * (exact - right)).sum())


def _kept(home: Path, path: Path, context: Context) -> Agreement:
    """The figures of this file, as they were found or find themselves now."""
    context = Context(_TOKENS, context.gpu_layers, context.kv_type, context.swa_full, context.flash_attention)
    name = blake2b(window_key(path, context).encode(), digest_size=12).hexdigest()
    file = home / "agreements.json"
    with suppress(KeyError, TypeError):  # what was kept wrongly is measured again
        return Agreement(**read_json(file)[name])
    found = measure_agreement(path, context)
    with suppress(OSError):
        write_json(file, {**read_json(file), name: asdict(found)})
    return found
