"""How long does a follow-up take to its first token, beside llama.cpp alone, and beside the usual way?

The real orchestrator answers twelve questions in one conversation, each of which stands alone, so that nothing has
to be condensed. Its time to the first token is all of it: search, fitting, reading, sampling.

bare: `llama_decode`, in a context of its own with the same options, brought to the same depth (not counted), on the
very tokens that were new. usual: the prompt is rendered again for each turn, as most do it: system text and this
turn's passages, then the questions and answers so far, then the question; of what it evaluated for the turn before,
llama.cpp keeps the longest common prefix, as `llama_cpp.Llama` does, with the full cache that it has. Its search takes
as long as ours.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from app.answers import Answer, Finished, Fitted, Token
from app.llm.engine import Engine
from app.llm.runtime import Context
from app.llm.sampling import Sampling
from app.orchestrator import Orchestrator
from app.prompting import prompt
from app.settings import AnsweringSettings
from benchmarks.windows.corpus import EVERYTHING, Corpus
from benchmarks.windows.runtimes import BareRuntime, TrackingRuntime
from ingest.documents import Passage

TURNS = 12
_CONTEXT = Context(window=20_480, swa_full=False)
"""As Transom plans it: local layers keep no more than they see."""
_SETTINGS = AnsweringSettings(answer_tokens=96, min_confidence=0)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; seconds and tokens."""

    new: int
    """Tokens of the window that had never been evaluated."""
    evaluated: int
    first_token: float
    bare: float
    usual_evaluated: int
    usual: float

    @property
    def ratio(self) -> float:
        """To the bare prefill."""
        return self.first_token / self.bare


@dataclass(frozen=True, slots=True)
class _Ours:
    """What our way did in a turn."""

    answer: Answer
    passages: list[Passage]
    first_token: float
    window: list[int]
    """As it was evaluated, up to where the answer begins."""
    evaluated: int
    twice: int


class Conversation:
    """The same conversation, led in three ways."""

    def __init__(self, model: Path, corpus: Corpus) -> None:
        self._tracking = TrackingRuntime(model, _CONTEXT)
        self._bare = BareRuntime(model, _CONTEXT)
        self._usual = BareRuntime(model, replace(_CONTEXT, swa_full=True))
        self._orchestrator = Orchestrator(corpus.search, Engine(self._tracking), _SETTINGS, Sampling())
        self._conversation = self._orchestrator.begin(EVERYTHING)
        self._said: list[tuple[str, str]] = []

    def turn(self, question: str) -> Turn:
        """Asks a question in all three ways."""
        ours = self._ours(question)
        depth = len(ours.window) - ours.evaluated
        self._bare.reach(ours.window[:depth])
        bare = self._bare.prefill(ours.window[depth:])
        usual_evaluated, usual = self._usually(question, ours.passages)
        usual += ours.answer.timings["retrieve"]
        self._said += [("user", question), ("assistant", ours.answer.unsupported or ours.answer.text)]
        return Turn(ours.evaluated - ours.twice, ours.evaluated, ours.first_token, bare, usual_evaluated, usual)

    def close(self) -> None:
        """Gives the memory back."""
        for runtime in (self._tracking, self._bare, self._usual):
            runtime.close()

    def _ours(self, question: str) -> _Ours:
        tracking = self._tracking
        evaluated, twice = tracking.evaluated, tracking.twice
        started, first_token, passages, window = time.perf_counter(), 0.0, [], []
        for event in self._orchestrator.stream(question, self._conversation):
            if isinstance(event, Fitted):
                passages = list(event.passages.values())
            elif isinstance(event, Token | Finished) and not first_token:
                first_token = time.perf_counter() - started
                window, twice = list(tracking.cache), tracking.twice - twice
        assert isinstance(event, Finished)
        self._conversation.turns.clear()  # else the next question would be condensed, though it stands alone
        usage = event.answer.usage
        assert usage.evaluated_tokens <= tracking.evaluated - evaluated
        window = window[: usage.reused_tokens + usage.evaluated_tokens]
        return _Ours(event.answer, passages, first_token, window, usage.evaluated_tokens, twice)

    def _usually(self, question: str, passages: Sequence[Passage]) -> tuple[int, float]:
        started = time.perf_counter()
        shown = "\n\n".join(
            f"[{number}] {each.chunk.uri}\n{each.chunk.text}" for number, each in enumerate(passages, 1)
        )
        system = f"{prompt('answer').text}\n\n{shown}"
        tokens = self._usual.tokenize(self._rendered(system, question), special=True)
        evaluated = self._usual.reach(tokens)
        return evaluated, time.perf_counter() - started

    def _rendered(self, system: str, question: str) -> str:
        runtime = self._usual
        bos, eos = runtime.special_texts
        formatter = Jinja2ChatFormatter(runtime.chat_template or "", eos_token=eos, bos_token=bos)
        said = [*self._said, ("user", question)]
        try:
            return str(formatter(messages=_messages([("system", system), *said])).prompt)
        except ValueError:  # no system role: its text opens the first question
            (role, first), *later = said
            return str(formatter(messages=_messages([(role, f"{system}\n\n{first}"), *later])).prompt)


def _messages(said: Sequence[tuple[str, str]]) -> list[Any]:
    return [{"role": role, "content": text} for role, text in said]


def measure(model: Path, corpus: Corpus) -> Iterator[Turn]:
    """The turns of the conversation, one by one."""
    conversation = Conversation(model, corpus)
    try:
        for question in corpus.questions[:TURNS]:
            yield conversation.turn(question)
    finally:
        conversation.close()


def summary(turns: Sequence[Turn]) -> dict[str, float]:
    """Of the turns after the first."""
    later = turns[1:]
    return {
        "followup_ratio": round(median(turn.ratio for turn in later), 3),
        "usual_way_ratio": round(median(turn.usual / turn.first_token for turn in later), 3),
        "reevaluated_tokens": sum(turn.evaluated - turn.new for turn in turns),
    }


def table(turns: Sequence[Turn]) -> Iterator[str]:
    """For people."""
    yield "turn   new  evaluated  first token   bare prefill  ratio   usual way: evaluated  first token  ratio to ours"
    for number, turn in enumerate(turns, 1):
        yield (
            f"{number:4} {turn.new:5} {turn.evaluated:10} {turn.first_token:10.2f} s {turn.bare:12.2f} s "
            f"{turn.ratio:6.3f} {turn.usual_evaluated:22} {turn.usual:10.2f} s {turn.usual / turn.first_token:13.2f}"
        )
