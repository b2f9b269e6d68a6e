"""A conversation as a file, and which citation a mark of an answer means."""

from dataclasses import replace

from app.answers import Answer, Citation, Claim, Usage
from app.citations import check
from app.citations.places import citation_at
from app.exchange import Exchange, Problem
from app.export import as_markdown, file_name
from tests.builders import passage

LAMP = passage("The lamp was lit on 3 May 1871. It burned whale oil until 1902.", uri="lamp.pdf", pages=(3,))


def answered(text: str) -> Answer:
    checked = check(text, {1: LAMP})
    return Answer(
        text=checked.text,
        citations=checked.citations,
        passages={1: LAMP},
        abstained=False,
        usage=Usage(1, 1, 0),
        timings={},
        prompt_id="answer",
        finish_reason="ended",
        claims=checked.claims,
    )


def test_an_exported_conversation_has_its_sources() -> None:
    said = "The lamp was lit on 3 May 1871 [1]. The warden is called Eleanor Carrow."
    exchanges = [
        Exchange("When was\nthe lamp lit?", answer=answered(said), over=True),
        Exchange("And the oil?", said="It bur", over=True),
        Exchange("x" * 20, problem=Problem("It is too long."), over=True),
    ]
    text = as_markdown("The lamp", exchanges)
    assert text.startswith(f"# The lamp\n\n## When was the lamp lit?\n\n{said}\n")
    assert "**[1]** lamp.pdf, page 3\n\n> The lamp was lit on 3 May 1871." in text
    assert "*No passage supports:* The warden is called Eleanor Carrow." in text
    assert "It bur\n\n*Stopped." in text
    assert text.endswith("*Not answered: It is too long.*\n")


def test_a_file_is_named_by_the_title() -> None:
    assert file_name("When was the lamp lit? / 1871") == "When was the lamp lit 1871.md"
    assert file_name("../..") == "conversation.md"


def test_each_mark_means_the_words_of_its_own_sentence() -> None:
    answer = answered("The lamp was lit on 3 May 1871 [1]. It burned whale oil until 1902 [1].")
    first, second = answer.text.index("[1]"), answer.text.rindex("[1]")
    found = citation_at(answer)
    assert (found(1, first), found(1, second)) == (0, 1)
    assert answer.citations[1].quote == "It burned whale oil until 1902."
    assert found(1, 10_000) == 0
    assert found(2, first) is None


def test_an_answer_without_claims_means_the_first() -> None:
    cited = Citation(4, LAMP, "lamp", (0, 4), True, 3)
    answer = answered("")
    found = citation_at(replace(answer, citations=(cited,), claims=(Claim((0, 1), supported=True),)))
    assert found(4, 0) == 0
