from itertools import islice

import pytest

from app.errors import WindowError
from app.llm.engine import Engine, Evaluated, Sampled
from app.llm.runtime import BATCH
from app.llm.sampling import Sampling
from tests.fakes import END, ScriptedRuntime


def run(engine: Engine, window: list[int], limit: int = 50) -> tuple[Evaluated, list[int]]:
    evaluated, tokens = Evaluated(0, 0, 0), []
    for event in engine.complete(window, limit, Sampling()):
        if isinstance(event, Evaluated):
            evaluated = event
        else:
            tokens.append(event.token)
    return evaluated, tokens


def test_generates_until_the_model_ends() -> None:
    engine = Engine(ScriptedRuntime(["hi"]))
    _, tokens = run(engine, [1, 2, 3])
    assert tokens == [*b"hi", END]


def test_stops_at_the_limit() -> None:
    engine = Engine(ScriptedRuntime(["a long answer"]))
    _, tokens = run(engine, [1], limit=3)
    assert tokens == [*b"a l"]


def test_evaluates_only_what_is_new() -> None:
    runtime = ScriptedRuntime(["one", "two"])
    engine = Engine(runtime)
    _, answer = run(engine, [1, 2, 3])
    evaluated, _ = run(engine, [1, 2, 3, *answer, 7, 8])
    assert evaluated == Evaluated(done=3, total=3, reused=6)  # END was sampled but never evaluated


def test_goes_back_to_the_common_prefix() -> None:
    runtime = ScriptedRuntime(["one", "two"])
    engine = Engine(runtime)
    run(engine, [1, 2, 3, 4])
    evaluated, _ = run(engine, [1, 2, 9])
    assert evaluated.reused == 2
    assert runtime.cache == [1, 2, 9, *b"two"]


def test_the_same_window_again_evaluates_its_last_token() -> None:
    engine = Engine(ScriptedRuntime(["", ""]))
    run(engine, [1, 2, 3])
    evaluated, _ = run(engine, [1, 2, 3])
    assert (evaluated.reused, evaluated.total) == (2, 1)


def test_prefill_tells_its_progress_batch_by_batch() -> None:
    engine = Engine(ScriptedRuntime([""], window_size=1000))
    window = [1] * (2 * BATCH + 5)
    done = [event.done for event in engine.complete(window, 10, Sampling()) if isinstance(event, Evaluated)]
    assert done == [0, BATCH, 2 * BATCH, len(window)]


def test_closing_the_stream_stops_the_model_and_frees_it() -> None:
    runtime = ScriptedRuntime(["a long answer", "next"])
    engine = Engine(runtime)
    stream = engine.complete([1], 50, Sampling())
    seen = list(islice(stream, 4))
    stream.close()  # type: ignore[attr-defined]
    assert [event.token for event in seen if isinstance(event, Sampled)] == [*b"a "]
    assert run(engine, [1])[1] == [*b"next", END]


def test_refuses_what_does_not_fit() -> None:
    engine = Engine(ScriptedRuntime(window_size=64))
    with pytest.raises(WindowError, match="do not fit the window of 64"):
        list(engine.complete([1] * 60, 5, Sampling()))
