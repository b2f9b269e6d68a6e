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


def test_a_wrong_mark_gives_way_to_the_only_source() -> None:
    checked = check("The deductible is $2,000 a year [2].", PASSAGES)
    assert checked.text == "The deductible is $2,000 a year. [1]"
    assert [(c.number, c.verified) for c in checked.citations] == [(1, True)]


def test_a_mark_before_its_sentence_counts() -> None:
    (citation,) = check("[1] The deductible is $2,000 a year.", PASSAGES).citations
    assert (citation.number, citation.verified) == (1, True)


def test_the_question_decides_between_sources_of_a_short_answer() -> None:
    prices = {
        1: passage("Climbing the tower costs £7.00 from April 2025.", uri="prices.md"),
        2: passage("A tea towel costs £7.00 in the shop.", uri="shop.md"),
    }
    (citation,) = check("£7.00.", prices, "What does climbing the tower cost in 2025?").citations
    assert (citation.number, citation.verified) == (1, True)


def test_numbers_are_compared_as_numbers() -> None:
    sheet = passage("| Surplus | 11765.0 |", uri="accounts.xlsx")
    (citation,) = check("The surplus was £11,765 [1].", {1: sheet}).citations
    assert citation.verified


def test_a_wrapped_sentence_is_quoted_whole() -> None:
    letter = passage("Dear Ines,\n\nMy quotation for the\nrepair is 18,450 pounds.\n\nYours, Odile")
    (citation,) = check("The quotation for the repair is 18,450 pounds [1].", {1: letter}).citations
    assert citation.quote == "My quotation for the\nrepair is 18,450 pounds."


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
