"""Three conversations share one model, asked in turn: is any token evaluated twice?

Counted by the runtime itself, which knows of every token whether the conversation had it evaluated before, behind the
same tokens. The opening with the system text is the same for all and counts once; what conversations happen to have in
common behind it (their first passages may be of one file, and so begin alike) counts for each of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.llm.engine import Engine
from app.llm.runtime import Context
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from app.orchestrator import Orchestrator
from app.settings import AnsweringSettings
from benchmarks.windows.corpus import EVERYTHING, Corpus
from benchmarks.windows.runtimes import TrackingRuntime

CONVERSATIONS, ROUNDS = 3, 5
_SETTINGS = AnsweringSettings(passages=2, answer_tokens=32, min_confidence=0)


@dataclass(frozen=True, slots=True)
class Round:
    """All conversations asked once; tokens."""

    evaluated: int
    twice: int


def measure(model: Path, corpus: Corpus) -> Iterator[Round]:
    """The rounds, one by one."""
    runtime = TrackingRuntime(model, Context(window=8_192, swa_full=False))
    try:
        with TemporaryDirectory() as folder:
            engine = Engine(runtime, SavedWindows(Path(folder), "key", 1 << 40))
            yield from _rounds(Orchestrator(corpus.search, engine, _SETTINGS, Sampling()), runtime, corpus)
    finally:
        runtime.close()


def _rounds(orchestrator: Orchestrator, runtime: TrackingRuntime, corpus: Corpus) -> Iterator[Round]:
    conversations = [orchestrator.begin(EVERYTHING) for _ in range(CONVERSATIONS)]
    runtime.opening = conversations[0].ledger.pinned
    questions = iter(corpus.questions)
    for _ in range(ROUNDS):
        evaluated, twice = runtime.evaluated, runtime.twice
        for number, conversation in enumerate(conversations):
            runtime.conversation = number
            orchestrator.ask(next(questions), conversation)
            conversation.turns.clear()  # the next question stands alone: nothing is to be condensed
        yield Round(runtime.evaluated - evaluated, runtime.twice - twice)


def table(rounds: list[Round]) -> Iterator[str]:
    """For people."""
    yield "round  evaluated  of these for a second time"
    for number, each in enumerate(rounds, 1):
        yield f"{number:5} {each.evaluated:10} {each.twice:27}"
