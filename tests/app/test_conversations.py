"""A conversation that is gone on with by another process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.answers import Answer, whole
from app.assistant import Assistant
from app.conversations import Conversations
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.settings import AnsweringSettings, Settings
from ingest.errors import TransomError, UsageError
from ingest.index import Where
from ingest.library import Library
from tests.builders import passage
from tests.fakes import ScriptedRuntime

WHERE = Where(collection="documents")
LAMP = passage("The lamp was lit on 3 May 1871. " * 8, uri="lamp.md")
BOAT = passage("The boat sails on Tuesdays.", uri="boat.md")


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    settings = Settings.load()
    with Library(settings) as library:
        assert library.catalogue
        yield settings


def process(settings: Settings, *script: str, key: str = "model") -> tuple[Assistant, ScriptedRuntime]:
    """What answers in a process of its own."""
    runtime = ScriptedRuntime(script)
    engine = Engine(runtime, SavedWindows(settings.home / "windows", key, 1 << 30))
    orchestrator = Orchestrator(lambda *_: [LAMP, BOAT], engine, AnsweringSettings(), Sampling())
    model = ResolvedModel(Path("a.gguf"), None, False, "")
    return Assistant(settings, model, Library(settings), engine, orchestrator, key), runtime


def ask(assistant: Assistant, question: str, where: Where = WHERE) -> Answer:
    with assistant:
        return whole(assistant.stream(question, where, named="lamps"))


def test_the_next_process_goes_on_and_reads_nothing_again(settings: Settings) -> None:
    first, _ = process(settings, "The lamp was lit on 3 May 1871 [1].")
    before = ask(first, "When was the lamp lit?").usage.window_tokens
    second, runtime = process(settings, "When does the boat sail?", "On Tuesdays [2].")
    answer = ask(second, "And the boat?")
    assert answer.text == "On Tuesdays [2]."
    assert answer.usage.reused_tokens >= before - 1
    assert runtime.text().count("The lamp was lit on 3 May 1871 [1].") == 1


def test_another_model_reads_the_last_turns_anew(settings: Settings) -> None:
    ask(process(settings, "The lamp was lit on 3 May 1871 [1].")[0], "When was the lamp lit?")
    other, runtime = process(settings, "When does the boat sail?", "On Tuesdays [2].", key="another")
    assert ask(other, "And the boat?").text == "On Tuesdays [2]."
    seen = runtime.text()
    assert seen.index("[1] lamp.md") < seen.index("When was the lamp lit?") < seen.index("[2] boat.md")


def test_a_stopped_answer_is_kept(settings: Settings) -> None:
    first, _ = process(settings, "The lamp was lit long ago.")
    with first:
        stream = first.stream("When was the lamp lit?", WHERE, named="lamps")
        for event in stream:
            if getattr(event, "text", "") == "w":
                break
        stream.close()  # type: ignore[attr-defined]
    second, runtime = process(settings, "On Tuesdays [2].")
    ask(second, "When does the boat sail?")
    assert "The lamp w" in runtime.text()


def test_a_conversation_about_other_documents_is_refused(settings: Settings) -> None:
    ask(process(settings, "ok")[0], "When?")
    with pytest.raises(UsageError, match="is about other documents"):
        ask(process(settings, "ok")[0], "When?", Where(collection="letters"))


def test_a_damaged_file_is_told(settings: Settings) -> None:
    (settings.home / "conversations.db").write_text("no database at all, but long enough to be looked at")
    with pytest.raises(TransomError, match="cannot be used"):
        Conversations(settings.home).get("lamps")
