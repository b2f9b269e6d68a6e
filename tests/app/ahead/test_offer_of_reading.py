"""The chat: its library offers to read a collection, its API does it for other processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import shared
from app.ahead.progress import PROGRESS_JSON
from app.assistant import Assistant
from app.errors import ModelError
from app.llm.spare import LlamaSpare
from app.remote import RemoteAssistant
from app.settings import Settings
from ingest.errors import UsageError
from ingest.library import Library
from ingest.remote import Line
from tests.app.test_api import Served


def script() -> None:
    from app.ui.pages import library

    library.page()


@pytest.fixture
def chat(shelf: Library) -> Iterator[shared.Shared]:
    opened = shared.share(lambda: shelf, lambda library: Assistant.open(Settings.load(), library))
    opened.assistant()
    yield opened
    opened.close()


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def total(library: Library) -> int:
    return sum(entry.chunks for entry in library.catalogue.entries("documents"))


def test_a_collection_is_offered_read_and_told(
    chat: shared.Shared, shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = LlamaSpare.decode

    def slowly(self: LlamaSpare, tokens: Any) -> None:
        time.sleep(0.3)
        decode(self, tokens)

    monkeypatch.setattr(LlamaSpare, "decode", slowly)
    chat.assistant().engine.speed.prefill = 0.5
    test = AppTest.from_function(script, default_timeout=60).run()
    assert not test.exception
    offer = test.button(key="read ahead")
    assert offer.label.startswith("Read this collection now (")
    assert " h, " in offer.label or " min, " in offer.label
    assert offer.label.endswith("MB)")
    offer.click().run()
    assert not test.exception
    wait(lambda: chat.ahead.doing and chat.ahead.doing.read and chat.ahead.doing.read.passages)
    test.run()
    assert f" of {total(shelf)} passages" in str(test.get("progress")[0].proto)
    test.button(key="stop reading ahead").click().run()
    assert chat.ahead.job
    assert chat.ahead.job.over.wait(30)
    monkeypatch.undo()
    list(chat.ahead.follow("documents"))
    test.run()
    assert not test.exception
    assert any(each.value == f"Read ahead: {total(shelf)} of {total(shelf)} chunks." for each in test.caption)
    assert "read ahead" not in [button.key for button in test.button]


def test_trouble_is_told_where_it_was_asked_for(chat: shared.Shared) -> None:
    job = chat.ahead.read_now("documents")
    assert job.over.wait(60)
    job.trouble = ModelError("This model's answers suffer from reading ahead.", "Set it to on.")
    test = AppTest.from_function(script, default_timeout=60).run()
    assert "suffer from reading ahead" in test.error[0].value


def test_without_a_model_nothing_is_offered(shelf: Library) -> None:
    def no_model(_: Library) -> Assistant:
        raise ModelError("There is no model yet.", "Fetch one.")

    shared.share(lambda: shelf, no_model)
    test = AppTest.from_function(script, default_timeout=60).run()
    assert not test.exception
    assert "read ahead" not in [button.key for button in test.button]


def test_the_owner_tells_other_processes_the_same(chat: shared.Shared, home: Path) -> None:
    with closing(Served(chat)) as served, Line(served.owner) as line:
        told_the_same(RemoteAssistant(line), chat.assistant(), home)


def told_the_same(remote: RemoteAssistant, assistant: Assistant, home: Path) -> None:
    with pytest.raises(UsageError, match="holds no documents"):
        list(remote.read_ahead("nothing"))
    *_, by_owner = remote.read_ahead("documents")
    for file in home.glob("passages/*/*/*.state"):
        file.unlink()
    *_, here = assistant.read_ahead("documents")
    assert by_owner.read == here.read
    assert by_owner.estimate
    assert by_owner.estimate.passages == total(assistant.library)
    assert PROGRESS_JSON.validate_python(PROGRESS_JSON.dump_python(here, mode="json")) == here
