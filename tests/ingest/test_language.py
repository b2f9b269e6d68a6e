"""Documents in several languages: each is stemmed in its own, and a question finds them in any form of its words."""

import sqlite3
from pathlib import Path

import pytest

from ingest.catalogue import Catalogue
from ingest.documents import Passage
from ingest.index import Where
from ingest.language import detect
from ingest.library import Library
from ingest.terms import document_terms, query_terms

TEXTS = {
    "reise.md": "Die Mitarbeiterinnen bekommen für jede Reise eine Pauschale. Belege müssen im Folgemonat eingereicht "
    "werden, sonst verfällt der Anspruch auf Erstattung.",
    "turm.md": "Der Wärter zündet die Lampe am Abend an und schreibt Wind, Wellen und alle Schiffe in das Buch. "
    "Die Häuser am Ufer sind im Winter leer.",
    "frais.md": "Les employés envoient leurs notes de frais avant la fin du mois. Les chevaux du domaine sont nourris "
    "deux fois par jour par le gardien.",
    "viajes.md": "Los empleados entregan los recibos de sus viajes antes de fin de mes. Las luces del faro se "
    "encienden cuando cae la noche sobre la costa.",
    "keeper.md": "The keeper lights the lamp in the evening and writes wind, waves and all ships into the log. Horses "
    "of the estate are fed twice a day.",
}
LANGUAGES = {"reise.md": "de", "turm.md": "de", "frais.md": "fr", "viajes.md": "es", "keeper.md": "en"}


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    list(library.ingest([folder]))
    return library


def by_words(library: Library, question: str) -> list[Passage]:
    return library.index.search(*library.vectors(question), 5, Where("documents"), "bm25")


def test_every_document_and_chunk_knows_its_language(filled: Library) -> None:
    assert {entry.uri: entry.language for entry in filled.catalogue.entries()} == LANGUAGES
    assert {chunk.uri: chunk.language for chunk, _ in filled.index.scroll(Where())} == LANGUAGES
    assert (
        sorted(filled.catalogue.languages("documents"))
        == sorted(filled.catalogue.languages())
        == ["de", "en", "es", "fr"]
    )
    assert filled.catalogue.languages("others") == []


def test_other_forms_of_a_word_are_found_by_it(filled: Library) -> None:
    forms = {
        "reise.md": ["Reisen", "Pauschalen", "ein Beleg", "Anspruchs", "eine Erstattungen"],
        "turm.md": ["das Haus", "Schiffen", "des Wärters", "Winters"],
        "frais.md": ["employé", "il envoyait: envoient", "nourri", "gardiens"],
        "viajes.md": ["empleado", "entregar", "un recibo", "las noches"],
        "keeper.md": ["the horse", "lighting lamps", "keepers", "feeding a ship"],
    }
    first = {words: [p.chunk.uri for p in by_words(filled, words)[:1]] for asked in forms.values() for words in asked}
    assert first == {words: [document] for document, asked in forms.items() for words in asked}


def test_stop_words_of_its_language_do_not_find_a_document(filled: Library) -> None:
    assert by_words(filled, "der die das und") == by_words(filled, "les du par") == []


def test_of_an_english_collection_the_terms_are_the_english_ones() -> None:
    text = "Which ships were written into the logs?"
    plain, asked = query_terms(text), query_terms(text, ["en", "", "pl"])
    assert plain == asked
    assert plain.words == len(plain.indices) == 3
    assert query_terms("the house").indices == query_terms("houses", ["en"]).indices == (1888595001,)
    assert set(plain.indices) == set(document_terms(text).indices) == set(document_terms(text, "en").indices)


def test_a_word_counts_once_however_many_stems_it_has() -> None:
    query = query_terms("Reisekosten der Mitarbeiterinnen", ["de", "en", "fr"])
    assert len(query.indices) > query.words == 3  # in English and French, "der" is a word
    assert query.values == (1.0,) * len(query.indices)


def test_what_is_no_prose_has_no_language() -> None:
    assert detect(["| 2020 | 34.5 | 7.3 |\n| 2021 | 33.1 | 8.0 |"]) == ""
    assert detect(["for x in range(10):\n    print(x)\n    return None"]) == ""
    assert detect(["Invoice 2023"]) == detect([""]) == detect([]) == ""


def test_the_whole_of_a_long_document_is_looked_at() -> None:
    assert detect(["12.5 | 13.1 | 7\n" * 50] * 3 + [TEXTS["turm.md"]] * 2000) == "de"


def test_an_older_catalogue_is_taken_on(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    old = (
        "document_id, collection, root, uri, size, mtime_ns, sha256, state, reason, hint, title, media_type, pages, "
        "chunks, warning"
    )
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE documents ({old}, PRIMARY KEY (document_id)) WITHOUT ROWID")
        values = ("id", "documents", "/root", "a.md", 1, 1, "0", "indexed", "", "", "A", "text/markdown", 0, 1, "white")
        db.execute(f"INSERT INTO documents VALUES ({', '.join('?' * len(values))})", values)
    db.close()
    with Catalogue(path) as catalogue:
        (entry,) = catalogue.entries()
        assert (entry.warning, entry.language) == ("white", "")
        catalogue.change(entry, language="de")
        assert catalogue.languages("documents") == ["de"]
