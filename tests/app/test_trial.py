"""The self-check of a model, on a real one: a tiny file with random weights."""

from contextlib import closing
from pathlib import Path

import pytest

from app.ahead.trial import try_out
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.passages import LABELS, PassageStates
from app.llm.runtime import Context, LlamaRuntime
from app.prompting import prompt


def test_the_trial_is_kept_and_reads_nothing_ahead(dense_gemma4: Path, tmp_path: Path) -> None:
    with closing(LlamaRuntime(dense_gemma4, Context(8192, joins=True))) as runtime:
        states = PassageStates(tmp_path, "key", Dialogue(runtime).opening(prompt("answer").text), 1 << 30)
        engine = Engine(runtime, states=states)
        trying = try_out(engine)
        next(trying)
        trying.close()  # type: ignore[attr-defined]  # a generator: somebody asks
        assert states.trial is None
        batches = sum(1 for _ in try_out(engine))
        trial = states.trial
        assert trial is not None and batches > 24
        assert trial.fresh > 1 and trial.joined > 1
        assert trial.fresh != pytest.approx(trial.joined, abs=1e-6)
        assert {path.parent.name for path in tmp_path.glob("*/*/*.state")} <= {LABELS}
        assert engine.speed.prefill > 0
