from collections.abc import Sequence
from itertools import takewhile

import pytest

from app.answers import AS_SET, Condensed, Event, Finished, Fitted, Reading, Retrieved, Thinking, Token, Wish
from app.conversation import Conversation
from app.errors import WindowError
from app.llm.engine import Engine, Speed
from app.llm.sampling import Sampling
from app.orchestrator import Orchestrator
from app.outcome import ABSTAINED
from app.prompting import prompt
from app.settings import AnsweringSettings
from app.survey.listing import Documents
from ingest.documents import Passage
from ingest.index import Where
from tests.builders import passage
from tests.fakes import TEMPLATE, ScriptedRuntime
from tests.shelf import FewDocuments, chunks_of, found

LAMP = passage("The lamp was lit on 3 May 1871.", uri="history.pdf", pages=(4,))
BOAT = passage("The relief boat sails on Tuesdays.", uri="boat.md")
FOG = passage("The fog signal sounds twice a minute.", uri="fog.md")


class Asked:
    """An orchestrator over a scripted model and a search that finds what it is told to."""

    def __init__(
        self,
        answers: Sequence[str],
        window: int = 6000,
        shelf: Documents | None = None,
        template: str = TEMPLATE,
        **settings: object,
    ) -> None:
        self.runtime = ScriptedRuntime(answers, window_size=window, template=template)
        self.found: list[Passage] = [LAMP, BOAT]
        self.queries: list[str] = []
        wanted = AnsweringSettings.model_validate({"answer_tokens": 100, **settings})
        self.engine = Engine(self.runtime, speed=Speed(prefill=200.0, decode=50.0))
        self.orchestrator = Orchestrator(self.search, self.engine, wanted, Sampling(), shelf=shelf)
        self.conversation: Conversation = self.orchestrator.begin(Where())

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        self.queries.append(query)
        return self.found[:limit]

    def events(self, question: str, wish: Wish = AS_SET) -> list[Event]:
        return list(self.orchestrator.stream(question, self.conversation, wish))

    def answer(self, question: str, wish: Wish = AS_SET) -> Finished:
        (finished,) = [event for event in self.events(question, wish) if isinstance(event, Finished)]
        return finished

    def fitted(self, question: str, wish: Wish = AS_SET) -> Fitted:
        (fitted,) = [event for event in self.events(question, wish) if isinstance(event, Fitted)]
        return fitted


def test_the_steps_come_in_their_order() -> None:
    asked = Asked(["On 3 May 1871 [1]."])
    kinds = [type(event) for event in asked.events("When was the lamp lit?")]
    assert list(dict.fromkeys(kinds)) == [Condensed, Retrieved, Fitted, Reading, Token, Finished]


def test_the_streamed_text_is_the_answer() -> None:
    asked = Asked(["The lamp was lit on 3 May 1871 [1]."])
    events = asked.events("When was the lamp lit?")
    streamed = "".join(event.text for event in events if isinstance(event, Token))
    assert streamed == "The lamp was lit on 3 May 1871 [1]."


def test_a_citation_names_document_page_and_span() -> None:
    answer = Asked(["The lamp was lit on 3 May 1871 [1]."]).answer("When was the lamp lit?").answer
    (citation,) = answer.citations
    assert (citation.passage.chunk.uri, citation.page, citation.verified) == ("history.pdf", 4, True)
    assert not answer.abstained


def test_the_model_sees_the_passages_with_number_place_and_question() -> None:
    asked = Asked(["ok"])
    asked.answer("When was the lamp lit?")
    seen = asked.runtime.text()
    assert "[1] history.pdf, page 4\n<passage>\nThe lamp was lit on 3 May 1871.\n</passage>" in seen
    assert "[2] boat.md\n<passage>\nThe relief boat" in seen
    assert "Question: When was the lamp lit?" in seen


def test_a_slow_model_is_not_asked_to_condense() -> None:
    asked = Asked(["On 3 May 1871 [1].", "By Ada [1].", "On Tuesdays [2]."])
    asked.answer("When was the lamp lit?")
    asked.engine.speed = Speed(prefill=20.0, decode=2.0)
    asked.answer("And by whom?")
    assert asked.queries[-1] == "And by whom? (lamp lit)"
    assert "Question: And by whom?" in asked.runtime.text()
    asked.engine.speed = Speed(prefill=20.0, decode=2.0)
    asked.answer("When does the relief boat sail?")
    assert asked.queries[-1] == "When does the relief boat sail?"


def test_a_follow_up_is_condensed_and_evaluates_only_what_is_new() -> None:
    asked = Asked(["On 3 May 1871 [1].", "When does the relief boat sail?", "On Tuesdays [2]."])
    asked.answer("When was the lamp lit?")
    before = list(asked.conversation.ledger.tokens)
    answer = asked.answer("And the boat?").answer
    assert asked.queries[-1] == "When does the relief boat sail?"
    assert asked.conversation.ledger.tokens[: len(before)] == before
    assert answer.usage.reused_tokens >= len(before) - 1
    condensing = len(prompt("condense").render(question="And the boat?"))
    new = answer.usage.window_tokens - len("On Tuesdays [2].") - 1 - answer.usage.reused_tokens
    assert 0 <= answer.usage.evaluated_tokens - new - condensing < 60  # the rest is the glue of the turn


def test_a_passage_keeps_its_number_and_is_not_repeated() -> None:
    asked = Asked(["a [1].", "q", "b [3]."])
    asked.answer("one")
    asked.found = [FOG, LAMP]
    fitted = next(event for event in asked.events("two") if isinstance(event, Fitted))
    assert {number: p.chunk.uri for number, p in fitted.passages.items()} == {3: "fog.md", 1: "history.pdf"}
    assert asked.runtime.text().count(LAMP.chunk.text) == 1
    assert "See also [1] above." in asked.runtime.text()


def test_without_evidence_the_model_is_not_asked() -> None:
    asked = Asked(["never said"])
    asked.found = [passage("Something else entirely.", dense=0.05)]
    answer = asked.answer("Who won the war?").answer
    assert (answer.text, answer.abstained, answer.finish_reason) == (ABSTAINED, True, "abstained")
    assert asked.runtime.decoded == []


def test_when_nothing_is_found_the_model_is_not_asked() -> None:
    asked = Asked([])
    asked.found = []
    assert asked.answer("Anything?").answer.abstained


def test_a_model_that_finds_no_answer_abstains() -> None:
    answer = Asked([f"{ABSTAINED}"]).answer("What colour is the boat?").answer
    assert answer.abstained
    assert answer.citations == ()


def test_what_no_passage_supports_is_no_answer() -> None:
    answer = Asked(["The boat is painted green and yellow [2]."]).answer("What colour is the boat?").answer
    assert (answer.text, answer.abstained, answer.citations) == (ABSTAINED, True, ())
    assert answer.unsupported == "The boat is painted green and yellow [2]."


def test_a_thought_is_no_part_of_the_answer() -> None:
    thinking = "<|channel>thought\nhm<channel|>On Tuesdays [2]."
    asked = Asked([thinking])
    events = asked.events("When does the boat sail?")
    shown = "".join(event.text for event in events if isinstance(event, Token) and not event.thought)
    answer = events[-1].answer  # type: ignore[union-attr]
    assert shown == "On Tuesdays [2]."
    assert answer.thought == "hm"
    assert "hm" not in answer.text


def test_a_thought_leaves_the_window_with_its_turn() -> None:
    asked = Asked(["<|channel>thought\nhm<channel|>On Tuesdays [2].", "When does the boat sail?", "Daily [2]."])
    asked.answer("When does the boat sail?")
    asked.answer("And in summer?")
    text = asked.runtime.text()
    assert "On Tuesdays [2]." in text
    assert "thought" not in text
    assert "hm" not in text


def test_what_finds_no_room_is_left_out_and_told() -> None:
    asked = Asked(["ok"], window=1250)
    asked.found = [LAMP, passage("x" * 900, uri="large.txt"), BOAT]
    fitted = next(event for event in asked.events("When?") if isinstance(event, Fitted))
    assert [p.chunk.uri for p in fitted.passages.values()] == ["history.pdf", "boat.md"]
    assert [p.chunk.uri for p in fitted.left_out] == ["large.txt"]


def facts(turn: int) -> Passage:
    return passage(f"Fact number {turn} is written here. " * 6, uri=f"{turn}.md", start=turn)


def test_a_full_window_is_begun_anew_and_told() -> None:
    asked = Asked(["Fact number 1 is written here [1]."] * 30, window=2200)
    compacted = 0
    for turn in range(12):
        asked.found = [facts(turn)]
        compacted += asked.fitted("What is the fact?").compacted
        assert len(asked.runtime.cache) <= 2200
    assert 2 <= compacted < 12
    assert len(asked.conversation.turns) == 12


def test_a_window_that_is_begun_anew_keeps_the_last_turns_and_what_they_cite_under_its_number() -> None:
    asked = Asked(["said"] * 30, window=2600)
    for turn in range(12):
        asked.found = [facts(turn)]
        said = f"Fact number {turn} is written here [{turn + 1}]."
        asked.runtime.script = [*["What is the fact?"] * (turn > 0), said]
        if asked.fitted("What is the fact?").compacted:
            break
    kept = asked.conversation.ledger.passages
    assert kept[turn].chunk.uri == f"{turn - 1}.md"  # cited in the turn before, shown again
    assert kept[turn + 1].chunk.uri == f"{turn}.md"
    assert 1 not in kept
    seen = asked.runtime.text()
    assert f"[{turn}] {turn - 1}.md" in seen
    assert f"Fact number {turn - 1} is written here [{turn}]." in seen
    assert "0.md" not in seen


HUT = chunks_of("hut", ("Beds", "The hut has nine beds."), ("Stove", "The stove burns peat."))
BOATS = chunks_of("boats", ("Relief", "The relief boat sails on Tuesdays."), ("Mail", "The mail boat sails daily."))


def test_a_small_collection_is_read_whole_and_later_questions_retrieve_nothing() -> None:
    asked = Asked(
        ["The hut has nine beds [3].", "The mail boat sails daily [2]."], shelf=FewDocuments(boats=BOATS, hut=HUT)
    )
    asked.found = [found(HUT[0])]
    fitted = asked.fitted("How many beds has the hut?")
    assert (fitted.scope, len(fitted.passages)) == ("collection", 4)
    before = list(asked.conversation.ledger.tokens)
    answer = asked.answer("And the mail boat?").answer
    assert asked.queries == ["How many beds has the hut?"]
    assert (answer.text, answer.abstained) == ("The mail boat sails daily [2].", False)
    assert answer.usage.reused_tokens >= len(before) - 1


def test_when_documents_come_in_later_questions_retrieve_again() -> None:
    shelf = FewDocuments(boats=BOATS, hut=HUT)
    asked = Asked(["The hut has nine beds [3].", "Who lit the lamp?", "no"], shelf=shelf)
    asked.answer("How many beds has the hut?")
    shelf.held["new"] = chunks_of("new", "The lamp was lit by Ann.")
    asked.answer("Who lit it?")
    assert asked.queries[-1] == "Who lit the lamp?"


def test_a_person_can_ask_for_a_scope() -> None:
    shelf = FewDocuments(boats=BOATS, hut=HUT)
    asked = Asked(["ok", "ok"], shelf=shelf)
    asked.found = [found(HUT[0])]
    assert len(asked.fitted("How many beds?", Wish(scope="passages")).passages) == 1
    asked.conversation = asked.orchestrator.begin(Where())
    assert asked.fitted("How many beds?", Wish(scope="sections")).scope == "sections"


def test_a_slow_machine_brings_no_more_than_can_be_read_in_time() -> None:
    asked = Asked(["ok"], shelf=FewDocuments(boats=BOATS, hut=HUT), patience=0.3)
    asked.found = [found(HUT[0])]
    fitted = asked.fitted("How many beds?")
    assert fitted.scope == "passages"
    assert "answering.patience" in fitted.reason


def test_what_is_pinned_is_in_every_window_from_the_start_and_is_not_repeated() -> None:
    asked = Asked(["The hut has nine beds [1]."])
    asked.conversation = asked.orchestrator.begin(Where(), [found(each) for each in HUT])
    opening = asked.conversation.ledger.pinned
    asked.found = [found(HUT[0])]
    asked.answer("How many beds has the hut?")
    assert asked.runtime.text().count("nine beds.") == 1
    assert asked.runtime.text().index("nine beds.") < opening
    assert "See also [1] above." in asked.runtime.text()


def test_what_is_pinned_stays_in_front_of_the_rest_of_the_collection() -> None:
    asked = Asked(["ok"], shelf=FewDocuments(boats=BOATS, hut=HUT))
    asked.conversation = asked.orchestrator.begin(Where(), [found(each) for each in HUT])
    before = list(asked.conversation.ledger.tokens)
    assert asked.fitted("How many beds?").scope == "collection"
    assert asked.conversation.ledger.tokens[: len(before)] == before


def test_a_window_that_has_grown_makes_room_for_the_first_passages() -> None:
    asked = Asked(["said"] * 30, window=2600)
    for turn in range(8):
        asked.found = [facts(3 * turn + each) for each in range(3)]
        asked.runtime.script = [*["What is the fact?"] * (turn > 0), "No."]
        assert len(asked.fitted("What is the fact?").passages) == 3


def test_more_pinned_than_a_window_can_bear_is_refused() -> None:
    asked = Asked([], window=2000)
    with pytest.raises(WindowError, match="What is pinned takes"):
        asked.orchestrator.begin(Where(), [passage("x" * 1200)])


THINKING = TEMPLATE.replace("{% for", "{% if enable_thinking %}<|think|>{% endif %}{% for", 1)


@pytest.mark.parametrize(
    ("setting", "wish", "thinks"),
    [("off", None, False), ("on", None, True), ("off", "on", True), ("on", "off", False), ("auto", None, True)],
)
def test_thinking_is_as_set_unless_a_question_wants_otherwise(
    setting: str, wish: Thinking | None, thinks: bool
) -> None:
    asked = Asked(["On Tuesdays [2]."], template=THINKING, thinking=setting)
    asked.answer("When does the boat sail?", Wish(thinking=wish))
    text = asked.runtime.text()
    opened = text.startswith("<|think|>")
    assert (opened and not text.rpartition("assistant\n")[2].startswith("<|channel>thought\n<channel|>")) == thinks
    assert (opened or not thinks) and asked.conversation.ledger.thinking == opened


def test_a_thought_that_the_template_opens_is_closed_when_it_goes() -> None:
    template = TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
    asked = Asked(["hm</think>On Tuesdays [2].", "When?", "Daily."], template=template)
    events = asked.events("When does the boat sail?")
    assert [e.text for e in events if isinstance(e, Token) and e.thought] == ["h", "m"]
    assert "".join(e.text for e in events if isinstance(e, Token) and not e.thought) == "On Tuesdays [2]."
    asked.answer("And in summer?")
    assert "<think>\n</think>\n\nOn Tuesdays [2]." in asked.runtime.text()
    assert "hm" not in asked.runtime.text()


def test_left_to_us_a_slow_model_does_not_think() -> None:
    asked = Asked([], template=THINKING, thinking="auto")
    asked.engine.speed.decode = 5.0
    assert not asked.orchestrator.begin(Where()).ledger.thinking
    asked.engine.speed.decode = 50.0
    assert asked.orchestrator.begin(Where()).ledger.thinking


def test_an_answer_that_repeats_itself_is_stopped_and_says_so() -> None:
    answer = Asked(["The boat sails on Tuesdays [2]. " * 40], answer_tokens=1000).answer("When?").answer
    assert answer.finish_reason == "repeated"
    assert len(answer.text) < 40 * 32


def test_a_question_longer_than_the_window_is_refused_and_nothing_changes() -> None:
    asked = Asked([])
    before = list(asked.conversation.ledger.tokens)
    with pytest.raises(WindowError, match="question has 9000 tokens"):
        asked.events("x" * 9000)
    assert asked.conversation.ledger.tokens == before
    assert asked.conversation.turns == []


def test_a_stopped_answer_stays_in_the_window_and_the_next_question_works() -> None:
    asked = Asked(["The lamp was lit long ago.", "q", "On Tuesdays [2]."])
    stream = asked.orchestrator.stream("When was the lamp lit?", asked.conversation)
    said = "".join(
        e.text for e in takewhile(lambda e: "lit" not in getattr(e, "text", ""), stream) if isinstance(e, Token)
    )
    stream.close()  # type: ignore[attr-defined]
    assert said
    answer = asked.answer("And the boat?").answer
    assert answer.text == "On Tuesdays [2]."
    assert "The lamp was" in asked.runtime.text()
