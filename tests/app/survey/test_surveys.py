"""What is told of all documents, over a few of them and a model that speaks a script."""

from collections.abc import Sequence

from app.answers import AS_SET, Answer, Event, Finished, Surveying, Token
from app.llm.engine import Engine, Speed
from app.llm.sampling import Sampling
from app.orchestrator import Orchestrator
from app.outcome import ABSTAINED
from app.settings import AnsweringSettings
from ingest.index import Where
from tests.fakes import ScriptedRuntime
from tests.shelf import FewDocuments, chunks_of


class Asked:
    """An orchestrator over a few documents."""

    def __init__(self, shelf: FewDocuments, answers: Sequence[str] = ()) -> None:
        self.shelf = shelf
        self.runtime = ScriptedRuntime(answers, window_size=6000)
        settings = AnsweringSettings(answer_tokens=100)
        engine = Engine(self.runtime, speed=Speed(prefill=200.0, decode=50.0))
        self.orchestrator = Orchestrator(shelf.search, engine, settings, Sampling(), shelf=shelf)
        self.conversation = self.orchestrator.begin(Where())

    def events(self, question: str) -> list[Event]:
        return list(self.orchestrator.stream(question, self.conversation, AS_SET))

    def answer(self, question: str) -> Answer:
        (last,) = [event.answer for event in self.events(question) if isinstance(event, Finished)]
        return last


def _few() -> FewDocuments:
    return FewDocuments(
        log=chunks_of("log", "Nothing happened.", "The generators were tested. Then the Generator failed."),
        letter=chunks_of("letter", "We test the generator in May 2024."),
        birds=chunks_of("birds", "A puffin was seen."),
    )


def test_what_mentions_a_word_is_counted_and_cited_where_it_does() -> None:
    answer = Asked(_few()).answer("How many documents mention the generator?")
    assert answer.text.startswith("2 of 3 documents mention \u201cgenerator\u201d.")
    assert [(each.passage.chunk.uri, each.quote) for each in answer.citations] == [
        ("log.md", "The generators were tested."),
        ("letter.md", "We test the generator in May 2024."),
    ]
    assert all(each.verified for each in answer.citations)
    assert answer.claims and all(claim.supported for claim in answer.claims)


def test_the_words_of_a_term_stand_in_a_row() -> None:
    few = FewDocuments(one=chunks_of("one", "The fog signal sounds."), two=chunks_of("two", "A signal in the fog."))
    answer = Asked(few).answer("Which documents mention the fog signal?")
    assert [each.passage.chunk.uri for each in answer.citations] == ["one.md"]


def test_numbers_are_words_too() -> None:
    answer = Asked(_few()).answer("Which files mention May 2024?")
    assert [each.passage.chunk.uri for each in answer.citations] == ["letter.md"]


def test_a_term_of_stop_words_is_looked_for_as_it_is_written() -> None:
    few = FewDocuments(
        one=chunks_of("one", "Nobody knows who did it."), two=chunks_of("two", "It was late. The WHO said so.")
    )
    answer = Asked(few).answer("Which documents mention the WHO?")
    assert answer.text.startswith("1 of 2 documents mentions \u201cWHO\u201d.")
    assert [each.quote for each in answer.citations] == ["The WHO said so."]


def test_a_word_of_the_same_stem_is_not_the_same_word() -> None:
    few = FewDocuments(
        one=chunks_of("one", "The employer deducts it."), two=chunks_of("two", "Deductibles and policies.")
    )
    for term in ("deductible", "policy"):
        answer = Asked(few).answer(f"How many documents mention {term}?")
        assert [each.passage.chunk.uri for each in answer.citations] == ["two.md"]


def test_nothing_mentions_it() -> None:
    answer = Asked(_few()).answer("How many documents mention whales?")
    assert (answer.text, answer.citations) == ("None of 3 documents mentions \u201cwhales\u201d.", ())
    assert not answer.abstained


def test_what_is_there_is_listed_and_cited() -> None:
    answer = Asked(_few()).answer("What is in this folder?")
    assert answer.text.startswith("There are 3 documents.")
    assert [each.passage.chunk.uri for each in answer.citations] == ["log.md", "letter.md", "birds.md"]
    spans = [answer.text[slice(*claim.span)] for claim in answer.claims]
    assert spans[0] == "- log.md: Report [1]"


def test_a_list_holds_what_the_passages_hold_once_with_all_its_sources() -> None:
    few = FewDocuments(
        one=chunks_of("one", "Birds seen: the puffin and the razorbill."),
        two=chunks_of("two", "Of birds, the razorbill came late."),
    )
    asked = Asked(few, ["- Puffin [1]\n- The razorbill [1]\n- Penguin [1]\n- Razorbill [2]"])
    events = asked.events("List all birds.")
    (answer,) = [event.answer for event in events if isinstance(event, Finished)]
    assert answer.text.splitlines()[:2] == ["- Puffin [1]", "- The razorbill [1] [2]"]
    assert "Penguin" not in answer.text
    assert answer.text.endswith("2 items, from 2 passages of 2 documents that could name any.")
    assert "".join(event.text for event in events if isinstance(event, Token)).startswith("- Puffin [1]\n")
    assert any(isinstance(event, Surveying) and event.noun == "parts" for event in events)


def test_an_item_has_one_quote_for_each_mark() -> None:
    few = FewDocuments(one=chunks_of("one", "Plans: the longterm plan.\n\nOf all plans, the long term plan is dear."))
    answer = Asked(few, ["- Long-term plan [1]\n- Long term plan [1]"]).answer("List all plans.")
    assert [each.quote for each in answer.citations] == ["Plans: the longterm plan."]


def test_short_items_on_a_line_are_several_and_the_name_of_a_file_is_none() -> None:
    few = FewDocuments(one=chunks_of("one", "Birds: Arctic tern,12 Puffin,3 Kittiwake,4."))
    answer = Asked(few, ["- Arctic tern, Puffin, Kittiwake [1]\n- one.md"]).answer("List all birds.")
    assert answer.text.splitlines()[:3] == ["- Arctic tern [1]", "- Puffin [1]", "- Kittiwake [1]"]
    assert len(answer.claims) == 3


def test_a_list_of_nothing_is_no_answer() -> None:
    answer = Asked(_few(), ["None."]).answer("List all birds.")
    assert answer.abstained
    assert answer.text == ABSTAINED


def test_numbers_go_on_behind_a_survey() -> None:
    asked = Asked(_few(), ["A puffin was seen [1]."])
    first = asked.answer("What is in this folder?")
    then = asked.answer("What was seen on the cliff, was it a puffin?")
    assert first.citations[-1].number == 3
    assert 3 in then.passages
    assert then.passages[3].chunk.uri == "birds.md"
