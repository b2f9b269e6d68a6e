"""llama.cpp's samplers, in a chain as :class:`Sampling` says."""

import ctypes

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from app.errors import ModelError
from app.llm.sampling import Sampling

_LIKELIEST = 512
"""Tokens that a grammar looks at first: a whole vocabulary of 262,144 takes it longer than evaluating a token takes."""
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""As llama.cpp lays out `llama_token_data`."""


class LlamaSampler:
    """Top-k, top-p, temperature, draw, of what the grammar allows. Raises :class:`ValueError` where that is none."""

    def __init__(self, context: object, vocab: object, sampling: Sampling) -> None:
        self._context = context
        self._size = llama_cpp.llama_vocab_n_tokens(vocab)
        self._grammar = _grammar(vocab, sampling.grammar) if sampling.grammar else None
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in _links(sampling):
            llama_cpp.llama_sampler_chain_add(self._chain, link)

    def sample(self) -> int:
        """The next token. Raises :class:`ModelError` where the grammar allows none."""
        if self._grammar is None:
            return int(llama_cpp.llama_sampler_sample(self._chain, self._context, -1))
        allowed = self._allowed()
        array = _array(allowed)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        token = int(array.data[array.selected].id)
        llama_cpp.llama_sampler_accept(self._grammar, token)
        return token

    def close(self) -> None:
        """Gives its memory back."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar is not None:
            llama_cpp.llama_sampler_free(self._grammar)

    def _allowed(self) -> NDArray[np.void]:
        """The candidates that the grammar allows, of the likeliest; of all where it allows none of those."""
        found = llama_cpp.llama_get_logits_ith(self._context, -1)
        logits: NDArray[np.float32] = np.ctypeslib.as_array(found, (self._size,))
        least = max(0, self._size - _LIKELIEST)
        for tokens in (np.argpartition(logits, least)[least:], np.arange(self._size)):
            candidates = np.zeros(len(tokens), _CANDIDATE)
            candidates["id"], candidates["logit"] = tokens, logits[tokens]
            llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(_array(candidates)))
            allowed = candidates[candidates["logit"] > -np.inf]
            if len(allowed):
                return allowed
        raise ModelError("This model has no token to go on with in the form it has to keep to.")


def _array(candidates: NDArray[np.void]) -> llama_cpp.llama_token_data_array:
    """The candidates as llama.cpp takes them, in place."""
    data = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
    return llama_cpp.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def _links(sampling: Sampling) -> list[object]:
    if sampling.temperature <= 0:
        return [llama_cpp.llama_sampler_init_greedy()]
    return [
        llama_cpp.llama_sampler_init_top_k(sampling.top_k),
        llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
        llama_cpp.llama_sampler_init_temp(sampling.temperature),
        llama_cpp.llama_sampler_init_dist(sampling.seed),
    ]


def _grammar(vocab: object, grammar: str) -> object:
    link = llama_cpp.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
    if not link:
        raise ValueError("llama.cpp cannot use this grammar")
    return link
