"""The chat's page in each of its states, on a real orchestrator whose model speaks a script."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import shared
from app.assistant import Assistant
from app.errors import ModelError
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.outcome import ABSTAINED
from app.pins import Pins
from app.settings import AnsweringSettings, Settings
from app.talk import Talk
from ingest.catalogue import Entry
from ingest.documents import Passage
from ingest.errors import TransomError
from ingest.events import Failed, Progressed
from ingest.index import Where
from ingest.library import Library
from tests.builders import passage
from tests.fakes import ScriptedRuntime

PAGE = Path(shared.__file__).with_name("ui") / "chat.py"
TEXT = "The gate costs $7 on <b>Sundays</b>. It is closed in winter."
MODEL = ResolvedModel(Path("small.gguf"), None, stand_in=True, notice="A small stand-in answers.")
READ = Entry("doc", "documents", "/folder", "report.pdf", 1, 1, "0", "indexed", pages=3, chunks=1)
UNREADABLE = Failed("old.doc", "It is <locked>.", "")
UNREAD = Entry("bad", "documents", "/folder", "secret.pdf", 1, 1, "0", "failed", reason="It is locked.")


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """What suggests first questions finds no headings, and opens no index."""
    monkeypatch.setattr(Library, "chunks", lambda *_: [])


def assistant(
    *script: str,
    found: list[Passage] | None = None,
    entries: tuple[Entry, ...] = (READ,),
    covered: float | None = None,
) -> Assistant:
    settings = Settings.load()
    library = Library(settings)
    for entry in entries:
        library.catalogue.put(entry)
    passages = [passage(TEXT, pages=(3,))] if found is None else found
    engine = Engine(ScriptedRuntime(script))
    orchestrator = Orchestrator(lambda *_: passages, engine, AnsweringSettings(), Sampling(), lambda _: covered)
    return Assistant(settings, MODEL, library, engine, orchestrator)


def page(open_assistant: Callable[[], Assistant]) -> AppTest:
    shared.share(lambda: Library(Settings.load()), lambda _: open_assistant())
    return AppTest.from_file(PAGE, default_timeout=30).run()


def ask(test: AppTest, question: str) -> AppTest:
    return test.chat_input[0].set_value(question).run()


def html(test: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in test.get("html"))


def labels(test: AppTest) -> list[str]:
    return [each.label.replace("\\", "") for each in (*test.expander, *test.button)]


def test_an_empty_library_says_how_to_fill_it(home: Path) -> None:
    test = page(lambda: assistant(entries=()))
    assert "small\\.gguf answers" in test.success[0].value
    assert test.button(key="examples").label == "Take the examples"
    assert not test.chat_input
    Library(Settings.load()).catalogue.put(READ)
    test.run()
    assert test.chat_input


def test_an_answer_stands_over_its_sources(home: Path) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "What does $7 buy?")
    assert not test.exception
    assert [message.name for message in test.chat_message] == ["user", "assistant"]
    chip = '[1](#cite-0-0 "report\\.pdf\\, page 3")'
    assert f"The gate costs \\$7 on Sundays {chip}." in [element.value for element in test.markdown]
    assert "[1] report.pdf, page 3" in labels(test)
    assert "What does $7 buy?" in html(test)


def test_the_sequence_is_told_with_its_times(home: Path) -> None:
    shown = html(ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "What does the gate cost?"))
    order = [shown.index(step) for step in ("Vector DB", "Window", "wrote the answer", "1 of 1 citation verified")]
    assert order == sorted(order)


def popovers(test: AppTest) -> list[str]:
    return [each.proto.popover.label for each in test.get("popover")]


def test_documents_are_pinned_beside_the_window(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "count", lambda *_: 1)
    monkeypatch.setattr(Library, "chunks", lambda *_: [passage(TEXT, pages=(3,)).chunk])
    test = page(assistant)
    assert "Pin documents" in popovers(test)
    test.multiselect[0].set_value(["doc"]).run()
    test.button(key="pin").click().run()
    assert not test.exception
    assert "1 pinned" in popovers(test)
    assert Pins(home).of("documents") == ["doc"]
    assert shared.shared().assistant().begin(Where(collection="documents")).pinned
    assert "</i>Pinned <b>" in html(ask(test, "What does the gate cost?"))
    test.multiselect[0].set_value([]).run()
    test.button(key="pin").click().run()
    assert Pins(home).of("documents") == []


def test_a_sentence_that_no_passage_supports_is_told(home: Path) -> None:
    said = "The gate costs $7 on Sundays [1]. The warden is called Ann."
    test = ask(page(lambda: assistant(said)), "What does the gate cost?")
    shown = "\n".join(element.value for element in test.markdown)
    assert "The warden is called Ann. :orange-badge[:material/help: no source]" in shown
    assert any("No passage supports 1 of" in caption.value for caption in test.caption)


def test_a_thought_is_shown_apart(home: Path) -> None:
    test = ask(page(lambda: assistant("<|channel>thought\nMoney.<channel|>The gate costs $7 on Sundays [1].")), "$?")
    assert "What the model thought" in labels(test)
    assert "Money." in html(test)
    assert not any("Money." in element.value for element in test.markdown)


def test_an_answer_that_was_stopped_because_it_repeats_itself_says_so(home: Path) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1]. " * 40)), "What does the gate cost?")
    assert any("the same again and again" in caption.value for caption in test.caption)


def test_the_stand_in_is_named(home: Path) -> None:
    assert page(assistant).warning[0].value == MODEL.notice


def test_adapters_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not page(assistant).sidebar.caption
    monkeypatch.setenv("TRANSOM_MODEL__LORA", '["/loras/style.gguf:0.5"]')
    assert r"style\.gguf \(scale 0\.5\)" in page(assistant).sidebar.caption[0].value


def test_documents_and_failures_are_counted_on_the_way_to_the_library(home: Path) -> None:
    test = page(lambda: assistant(entries=(READ, UNREAD)))
    (link,) = test.sidebar.get("page_link")
    assert (link.proto.label, link.proto.page) == ("1 document, 1 not read", "library")


@pytest.mark.parametrize("found", [[], [passage(TEXT, dense=0.0)]], ids=["nothing", "nothing close"])
def test_no_evidence_is_no_answer(home: Path, found: list[Passage]) -> None:
    test = ask(page(lambda: assistant(found=found)), "Who built it?")
    assert test.info[0].value == ABSTAINED
    assert "the model was not asked" in html(test)


def test_an_answer_from_a_part_of_the_documents_says_so(home: Path) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].", covered=0.43)), "What does the gate cost?")
    assert "Read so far: 43% of the files." in [caption.value for caption in test.caption]
    assert "Read so far" not in html(ask(page(assistant), "What does the gate cost?"))


def test_a_running_ingest_is_shown_and_the_page_notices_its_end(home: Path) -> None:
    test = page(assistant)
    progress = Progressed(3, 340, 1.0, 9.0, 1200, 1, 5.0, 85.0, 130.0, "new/<b>.pdf")
    events = shared.shared().ingests.run(lambda: (each for each in (progress, UNREADABLE, progress)))
    assert [next(events), next(events)]
    shown = html(test.run())
    assert "3 of 340 files · 1,200 chunks · 85 chunks/s · 2 min left" in shown
    assert "new/&lt;b&gt;.pdf" in shown
    assert "old.doc: It is &lt;locked&gt;." in shown
    events.close()  # type: ignore[attr-defined]
    assert "Reading documents" not in html(test.run())


def test_what_no_passage_supports_is_folded_away(home: Path) -> None:
    test = ask(page(lambda: assistant("Elephants fly at 900 metres.")), "Who flies?")
    assert test.info[0].value == ABSTAINED
    assert "What the model said, which no passage supports" in labels(test)
    assert "Elephants fly" in html(test)


def test_an_error_is_told_and_the_conversation_goes_on(home: Path) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "x" * 4000)
    assert "The question has 4000 tokens" in test.error[0].value.replace("\\", "")
    ask(test, "What does the gate cost?")
    assert len(test.chat_message) == 4
    assert "[1] report.pdf, page 3" in labels(test)


def test_what_failed_to_open_can_be_tried_again(home: Path) -> None:
    errors = [ModelError("There is no model yet.", "Fetch one: `transom models pull`.")]

    def opening() -> Assistant:
        if errors:
            raise errors.pop()
        return assistant()

    test = page(opening)
    assert not test.exception
    assert "There is no model yet" in test.info[0].value
    assert "`transom models pull`" in test.info[0].value
    test.button(key="look again").click().run()
    assert not test.error
    assert test.chat_input


def test_a_new_conversation_begins_empty(home: Path) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "What does the gate cost?")
    test.button(key="new").click().run()
    assert not test.chat_message


def chunks_of(*chunks: object) -> object:
    return lambda *_: list(chunks)


def test_a_source_opens_beside_the_answer_and_closes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = passage(TEXT, pages=(3,))
    monkeypatch.setattr(Library, "chunks", chunks_of(found.chunk))
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].", found=[found])), "What does it cost?")
    assert "<mark>" not in html(test)
    test.button(key="source-0-1").click().run()
    assert not test.exception
    assert '<mark class="transom-cited">The gate costs $7 on &lt;b&gt;Sundays&lt;/b&gt;.</mark>' in html(test)
    assert any("not there any more" in caption.value for caption in test.caption)
    test.button(key="close-source").click().run()
    assert "<mark" not in html(test)


def test_the_window_is_shown_with_what_the_question_cost(home: Path) -> None:
    shown = html(ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "What does the gate cost?"))
    assert "tokens of the window are taken" in shown
    for part in ("System", "Passages", "Conversation", "Free"):
        assert f"</i>{part} <b>" in shown
    assert "evaluated, 0 reused" in shown


def test_what_a_click_cannot_do_is_told_and_the_page_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].")), "What does the gate cost?")

    def fails(*_: object) -> None:
        raise TransomError("conversations.db cannot be used: disk full.", "Make room.")

    monkeypatch.setattr(Talk, "take_back", fails)
    test.button(key="again-0").click().run()
    assert not test.exception
    assert "disk full" in test.toast[0].value
    assert [message.name for message in test.chat_message] == ["user", "assistant"]


def test_conversations_are_reopened_renamed_and_deleted(home: Path) -> None:
    open_assistant = lambda: assistant("The gate costs $7 on Sundays [1].")  # noqa: E731
    test = ask(page(open_assistant), "What does the gate cost?")
    name = test.query_params["conversation"]
    assert isinstance(name, str)
    again = page(open_assistant)  # a server that was started anew
    again.button(key=f"open-{name}").click().run()
    assert [message.name for message in again.chat_message] == ["user", "assistant"]
    again.text_input(key=f"title-{name}").set_value("The gate").run()
    assert again.button(key=f"open-{name}").label == "The gate"
    again.text_input(key="words").set_value("elephants").run()
    assert f"open-{name}" not in [button.key for button in again.button]
    again.text_input(key="words").set_value("SUNDAYS").run()
    again.button(key="delete").click().run()
    assert not again.chat_message
    assert f"open-{name}" not in [button.key for button in again.button]


def test_a_question_is_edited_and_asked_again(home: Path) -> None:
    said = "The gate costs $7 on Sundays [1]."
    test = ask(page(lambda: assistant(said, said, said)), "What does it cost?")
    test.button(key="edit-0").click().run()
    test.text_area(key="instead-0").set_value("What does the gate cost?")
    next(button for button in test.button if button.label == "Ask").click().run()
    assert not test.exception
    assert len(test.chat_message) == 2
    assert "What does the gate cost?" in html(test)
    test.button(key="again-0").click().run()
    assert len(test.chat_message) == 2
    assert "[1] report.pdf, page 3" in labels(test)


def test_a_collection_suggests_what_to_ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "chunks", chunks_of(passage(TEXT, headings=("Report", "The gate")).chunk))
    test = page(lambda: assistant("The gate costs $7 on Sundays [1]."))
    test.button(key="suggested-0").click().run()
    assert "What does report.pdf say about “The gate”?" in html(test)
    assert len(test.chat_message) == 2


def test_another_collection_begins_another_conversation(home: Path) -> None:
    other = replace(READ, document_id="letter", collection="letters", uri="letter.md")
    entries = (READ, other)
    test = ask(page(lambda: assistant("The gate costs $7 on Sundays [1].", entries=entries)), "What does it cost?")
    name = test.query_params["conversation"]
    test.selectbox(key="collection").set_value("letters").run()
    assert not test.exception
    assert not test.chat_message
    assert test.session_state["open talk"].where.collection == "letters"
    test.button(key=f"open-{name}").click().run()
    assert len(test.chat_message) == 2
    assert test.selectbox(key="collection").value == "documents"


def test_conversations_that_cannot_be_read_are_told(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "conversations.db").write_text("no database at all, but long enough to be looked at")
    test = page(assistant)
    assert not test.exception
    assert "move it away" in test.error[0].value
