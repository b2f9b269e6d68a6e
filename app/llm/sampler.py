"""llama.cpp's samplers, in a chain as :class:`Sampling` says."""

import llama_cpp

from app.llm.sampling import Sampling


class LlamaSampler:
    """Grammar, then top-k, top-p, temperature, draw. Raises :class:`ValueError` where the grammar is none."""

    def __init__(self, context: object, vocab: object, sampling: Sampling) -> None:
        self._context = context
        links = _links(vocab, sampling)
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in links:
            llama_cpp.llama_sampler_chain_add(self._chain, link)

    def sample(self) -> int:
        """The next token."""
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        """Gives its memory back."""
        llama_cpp.llama_sampler_free(self._chain)


def _links(vocab: object, sampling: Sampling) -> list[object]:
    links = [_grammar(vocab, sampling.grammar)] if sampling.grammar else []
    if sampling.temperature <= 0:
        return [*links, llama_cpp.llama_sampler_init_greedy()]
    return [
        *links,
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
