from hypothesis import given
from hypothesis import strategies as st

from app.citations import check
from tests.builders import passage

DEDUCTIBLE = passage(
    "Plans and costs. The Standard plan has a deductible of $2,000 a year. Members pay 20% after that.",
    start=100,
    pages=(7,),
)
VISION = passage("Eye examinations are covered once a year under the Plus plan.", uri="vision.md")
PASSAGES = {1: DEDUCTIBLE, 2: VISION}


def test_a_mark_is_resolved_to_document_page_and_span() -> None:
    checked = check("The deductible is $2,000 a year [1].", PASSAGES)
    (citation,) = checked.citations
    assert citation.verified
    assert (citation.number, citation.page) == (1, 7)
    assert citation.quote == "The Standard plan has a deductible of $2,000 a year."
    start, end = citation.span
    assert DEDUCTIBLE.chunk.text[start - 100 : end - 100] == citation.quote


def test_a_wrong_number_is_not_verified() -> None:
    (citation,) = check("The deductible is $3,000 a year [1].", PASSAGES).citations
    assert not citation.verified


def test_a_wrong_name_is_not_verified() -> None:
    (citation,) = check("The deductible of the Premium plan is $2,000 a year [1].", PASSAGES).citations
    assert not citation.verified


def test_a_mark_of_another_passage_is_not_verified() -> None:
    (citation,) = check("The deductible is $2,000 a year [2].", PASSAGES).citations
    assert (citation.number, citation.verified) == (2, False)


def test_a_mark_without_a_passage_is_removed() -> None:
    checked = check("Nobody knows the weather on Mars [9].", PASSAGES)
    assert checked.text == "Nobody knows the weather on Mars."
    assert checked.citations == ()


def test_a_sentence_without_a_mark_gets_that_of_its_only_source() -> None:
    checked = check("Eye examinations are covered once a year.", PASSAGES)
    assert checked.text == "Eye examinations are covered once a year. [2]"
    assert [citation.number for citation in checked.citations] == [2]


def test_a_sentence_that_two_passages_support_alike_gets_none() -> None:
    same = {1: VISION, 2: passage(VISION.chunk.text, uri="copy.md")}
    assert check("Eye examinations are covered once a year.", same).citations == ()


def test_several_marks_in_one_sentence() -> None:
    checked = check("Eye examinations are covered [1, 2]. Members pay 20% [1][2].", PASSAGES)
    assert [citation.number for citation in checked.citations] == [1, 2, 1, 2]


def test_the_page_is_where_the_quote_starts() -> None:
    text = "First page ends here. The harbour closes at nine in winter."
    across = passage(text, pages=(3, 4), page_starts=(0, 22))
    (citation,) = check("The harbour closes at nine in winter [1].", {1: across}).citations
    assert citation.page == 4


def test_formats_without_pages_cite_none() -> None:
    (citation,) = check("Eye examinations are covered once a year [2].", PASSAGES).citations
    assert citation.page is None


@given(st.text(alphabet="The plan. [1]23,\n!?", max_size=120))
def test_any_answer_is_survived_and_every_quote_stands_at_its_span(answer: str) -> None:
    for citation in check(answer, PASSAGES).citations:
        chunk = citation.passage.chunk
        start, end = citation.span
        assert chunk.text[start - chunk.span[0] : end - chunk.span[0]] == citation.quote


@given(st.text(max_size=200))
def test_text_without_passages_loses_nothing_but_marks(answer: str) -> None:
    if "[" not in answer:
        assert "".join(check(answer, {}).text.split()) == "".join(answer.split())
