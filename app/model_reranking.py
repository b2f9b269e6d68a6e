"""A second opinion on the first candidates by the model that answers: how likely it says "yes" to each.

Each passage costs its tokens, so only as many are read as a part of the person's patience allows; where nothing was
measured yet, none. The window of the conversation is put away and read back, as for any other window.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.ledger import Ledger
from app.prompting import prompt
from app.wording import shown
from ingest.documents import Passage

_PART = 1 / 3
"""Of the patience."""
_YES, _NO = ("yes", "Yes"), ("no", "No")


class ModelReranker:
    """Asks the model of an engine."""

    def __init__(self, engine: Engine, candidates: int, patience: float) -> None:
        """`patience`: seconds until the first word of an answer."""
        self.candidates = candidates
        self._engine = engine
        self._patience = patience
        self._dialogue = Dialogue(engine.runtime)

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages that there is time for, the best first by this model, with its probability; then the others."""
        windows = [self._window(question, passage) for passage in passages]
        count = self._affordable(windows)
        read = zip(passages[:count], windows[:count], strict=True)
        judged = [replace(passage, score=self._chance(window)) for passage, window in read]
        ordered = sorted(judged, key=lambda passage: -passage.score) + list(passages[count:])
        return [replace(passage, rank=rank) for rank, passage in enumerate(ordered)]

    def _window(self, question: str, passage: Passage) -> list[int]:
        """The question comes first, so that it is evaluated once for all passages."""
        ledger, dialogue = Ledger(self._dialogue, prompt("rerank").text), self._dialogue
        asked = dialogue.text(prompt("question").render(question=question) + "\n\n")
        said = [*asked, *shown({1: passage}, dialogue), *dialogue.text(prompt("rerank_ask").text)]
        return ledger.tokens + ledger.question(said)

    def _affordable(self, windows: Sequence[Sequence[int]]) -> int:
        """How many of the first windows can be read in time."""
        left = self._engine.speed.prefill * self._patience * _PART
        for count, window in enumerate(windows):
            left -= len(window)
            if left < 0 or len(window) > self._engine.window_size:
                return count
        return len(windows)

    def _chance(self, window: Sequence[int]) -> float:
        """How likely "yes" is rather than "no", in [0, 1]."""
        tokens = [self._dialogue.text(word)[0] for word in (*_YES, *_NO)]
        logits = self._engine.weigh(window, tokens)
        difference = max(logits[: len(_YES)]) - max(logits[len(_YES) :])
        return 1 / (1 + math.exp(-difference))
