import pytest

from app.survey.kinds import Contents, Kind, Listing, Mentions, kind_of, suffixes


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many documents mention the generator?", Mentions("generator")),
        ("Which files mention Ada Brennan?", Mentions("Ada Brennan", "files")),
        ('List all documents that contain the word "lens".', Mentions("lens")),
        ("In how many documents is the fog signal mentioned?", Mentions("fog signal")),
        ("which PDFs talk about deductibles", Mentions("deductibles", "pdfs")),
        ("How many of the documents refer to the trustees?", Mentions("trustees")),
        ("Which documents mention the WHO?", Mentions("WHO")),
        ("Which documents mention 2024?", Mentions("2024")),
        ("Which documents mention terms and conditions?", Mentions("terms and conditions")),
        ("What is in this folder?", Contents()),
        ("what's in my collection", Contents()),
        ("Which documents do you have?", Contents()),
        ("How many files are there?", Contents("files")),
        ("How many spreadsheets are in the library?", Contents("spreadsheets")),
        ("List all the documents.", Contents()),
        ("Please list all suppliers.", Listing("suppliers")),
        ("List the trustees", Listing("trustees")),
        ("Name every health plan in the documents.", Listing("health plan")),
        ("Give me a list of all job titles", Listing("job titles")),
        ("What are all the fees?", Listing("fees")),
        ("Which birds are mentioned in the documents?", Listing("birds")),
        ("How many different birds are named across all documents?", Listing("birds")),
    ],
)
def test_questions_about_all_documents(question: str, kind: Kind) -> None:
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    "question",
    [
        "How many steps does the tower have?",
        "What does the handbook say about the fog signal?",
        "Which document do I need to climb the tower?",
        "What is in the lantern room?",
        "How many visitors are there in summer?",
        "Who is on the list of trustees?",
        "Name the keeper who was on duty.",
        "What are the fees?",
        "How many documents must a keeper sign?",
        "How many documents mention it?",
        'Which documents mention ""?',
        "Which documents mention pumps or valves?",
        "Which documents mention pumps but not valves?",
        "Show me how to start the generator.",
    ],
)
def test_other_questions_are_answered_from_passages(question: str) -> None:
    assert kind_of(question) is None


def test_a_kind_of_file_means_its_endings() -> None:
    assert suffixes("PDFs") == (".pdf",)
    assert ".csv" in suffixes("spreadsheet")
    assert suffixes("documents") == ()
