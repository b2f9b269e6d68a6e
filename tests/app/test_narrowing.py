"""A question that says where to look: what narrows, what does not, and that nothing is lost by a guess."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.narrowing import narrow
from app.narrowing.dates import asked_dates, dated
from app.retriever import Retriever
from ingest.catalogue import Entry
from ingest.index import Where
from ingest.library import Library

EVERYTHING = Where("documents")
WORD, SHEET = (
    f"application/vnd.openxmlformats-officedocument.{kind}"
    for kind in ("wordprocessingml.document", "spreadsheetml.sheet")
)


def entry(uri: str, title: str = "", media_type: str = "text/markdown", changed: str = "2024-06-01") -> Entry:
    nanoseconds = int(datetime.fromisoformat(changed).replace(tzinfo=UTC).timestamp() + 43_200) * 10**9
    return Entry(
        uri, "documents", "/r", uri, 1, nanoseconds, "0", "indexed", title=title, media_type=media_type, chunks=1
    )


SHELF = [
    entry("rules/travel-policy.md", "Travel Policy"),
    entry("keepers-handbook.pdf", "The Keeper's Handbook", "application/pdf"),
    entry("reports/annual-report-2022.pdf", "Annual report", "application/pdf"),
    entry("reports/annual-report-2023.pdf", "Annual report", "application/pdf"),
    entry("accounts-2024.xlsx", "Accounts 2024", SHEET),
    entry("counts.csv", "Counts", "text/csv"),
    entry("visiting-policy.docx", "Visiting Policy", WORD, "2024-02-10"),
    entry("water.md", "Water"),
    entry("minutes/2024-03-05.md", "Minutes", changed="2024-03-06"),
    entry("old/notes.txt", "Notes", "text/plain", "1999-01-01"),
]


def told(question: str, where: Where = EVERYTHING) -> str:
    narrowed = narrow(question, where, lambda: SHELF)
    return narrowed.told if narrowed else ""


@pytest.mark.parametrize(
    ("question", "filter_"),
    [
        ("Is a taxi paid in the travel policy?", "in rules/travel-policy.md"),
        ("According to the keeper's handbook, when is the lamp lit?", "in keepers-handbook.pdf"),
        ("Who may come in under our visiting policy?", "in visiting-policy.docx"),
        ("What does the keepers handbook say about fog?", "in keepers-handbook.pdf"),
        ("What was earned according to the annual report 2023?", "in reports/annual-report-2023.pdf"),
        ("What was earned in 2021, in the annual report of 2022?", "in reports/annual-report-2022.pdf"),
        ("How deep is it according to Water?", "in water.md"),
        ('What stands in "Visiting policy"?', "in visiting-policy.docx"),
        ("What do we spend, in the spreadsheets?", "in spreadsheets"),
        ("Is there a drawing in any of the PDFs?", "in PDFs"),
        ("What was decided in the PDF files from 2023?", "in PDFs from 2023"),
        ("What was decided in the documents since 2025?", ""),  # no file is so new
        ("What do the files before 2000 tell?", "in documents before 2000"),
    ],
)
def test_what_is_clear_narrows(question: str, filter_: str) -> None:
    assert told(question) == filter_


@pytest.mark.parametrize(
    "question",
    [
        "What was earned according to the annual report?",  # which one?
        "What did the travel policy of 2019 allow?",
        "Is a taxi paid in the travel policy of 2019?",
        "Is it in the travel policy handbook?",
        "How many fish are in the water?",
        "Is the travel policy better than the visiting policy?",
        "What was the revenue from 2023 to 2024?",
        "What has changed since March?",
        "Why is this not in the PDFs?",
        "How do I write about e-mails in slides?",
        "What is said in the PDFs, and what in the spreadsheets?",
        "What is in the presentations?",  # there are none
        "",
    ],
)
def test_what_is_not_clear_does_not(question: str) -> None:
    assert told(question) == ""


def test_only_what_is_meant_anyway_is_looked_at() -> None:
    assert told("Is a taxi paid in the travel policy?", Where("documents", path_prefix="reports")) == ""
    assert told("Is a taxi paid in the travel policy?", Where("documents", document_ids=("water.md",))) == ""
    assert told("Is a taxi paid in the travel policy?", Where("others")) == ""


def test_for_most_questions_the_catalogue_is_not_asked() -> None:
    def entries() -> list[Entry]:
        raise AssertionError("asked")

    assert narrow("How high is the tower above the sea?", EVERYTHING, entries) is None


@given(st.text(max_size=80), st.sampled_from(["", "in the ", "according to the ", "in the files from "]))
def test_any_question_narrows_to_some_of_the_documents_or_not_at_all(text: str, cue: str) -> None:
    narrowed = narrow(f"{cue}{text}", EVERYTHING, lambda: SHELF)
    if narrowed:
        assert 0 < len(narrowed.where.document_ids) < len(SHELF)
        assert {each.document_id for each in SHELF}.issuperset(narrowed.where.document_ids)


@given(st.sampled_from(SHELF), st.sampled_from(["Is it in {}?", "According to {}, is it so?", "What does {} say?"]))
def test_the_name_of_a_file_means_that_file(one: Entry, question: str) -> None:
    narrowed = narrow(question.format(one.uri), EVERYTHING, lambda: SHELF)
    assert narrowed and narrowed.where.document_ids == (one.document_id,)


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("in the reports from 2023", (date(2023, 1, 1), date(2023, 12, 31))),
        ("the minutes from March 2024", (date(2024, 3, 1), date(2024, 3, 31))),
        ("files changed since March", (date(2026, 3, 1), date.max)),
        ("files changed since December", (date(2025, 12, 1), date.max)),
        ("letters dated before 2024-02-15", (date.min, date(2024, 2, 14))),
        ("notes after February 2024", (date(2024, 3, 1), date.max)),
        ("files from 2024-13", None),
        ("the profit from 2023", None),
        ("the reports from 2019 to 2023", None),
    ],
)
def test_times_are_understood(question: str, days: tuple[date, date] | None) -> None:
    asked = asked_dates(question, today=date(2026, 11, 24))
    assert (asked.days if asked else None) == days


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("minutes/2024-03-05.md", (date(2024, 3, 5), date(2024, 3, 5))),
        ("scan20240305.pdf", (date(2024, 3, 5), date(2024, 3, 5))),
        ("archive/log-november-1987.txt", (date(1987, 11, 1), date(1987, 11, 30))),
        ("2019/report.pdf", (date(2019, 1, 1), date(2019, 12, 31))),
        ("plan 2019-2023.pdf", (date(2019, 1, 1), date(2023, 12, 31))),
        ("order-4711.pdf", None),
    ],
)
def test_names_tell_dates(name: str, days: tuple[date, date] | None) -> None:
    assert dated(name) == days


def test_the_search_is_narrowed_and_tells_so(library: Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "travel-policy.md").write_text("A taxi is paid after ten in the evening.")
    (files / "diary.md").write_text("I took a taxi, and the taxi was paid by my aunt in the evening.")
    list(library.ingest([files]))
    found = Retriever(library).search("Is a taxi paid in the travel policy?", 5, EVERYTHING)
    assert ({passage.chunk.uri for passage in found}, found.narrowed) == ({"travel-policy.md"}, "in travel-policy.md")
    found = Retriever(library).search("Is a taxi paid?", 5, EVERYTHING)
    assert (len(found), found.narrowed) == (2, "")


def test_where_nothing_is_found_all_is_searched(library: Library, tmp_path: Path) -> None:
    (tmp_path / "diary.md").write_text("I took a taxi, and it was paid by my aunt in the evening.")
    list(library.ingest([tmp_path / "diary.md"]))
    library.catalogue.put(entry("travel-policy.md", "Travel Policy"))  # without chunks in the index
    found = Retriever(library).search("Is a taxi paid in the travel policy?", 5, EVERYTHING)
    assert ([passage.chunk.uri for passage in found], found.narrowed) == (["diary.md"], "")
