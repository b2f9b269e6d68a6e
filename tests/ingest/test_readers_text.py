from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import EmptyError, ReadError, UnsupportedError
from ingest.readers import Extracted, read
from ingest.readers.headings import markdown_headings, rst_headings
from ingest.readers.text import decode
from tests.ingest.files import docx, paragraph, pdf, save


def stored(folder: Path, name: str, content: str | bytes) -> Extracted:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path)


def headings(text: str) -> list[tuple[int, str, str]]:
    """Each heading with the line it points to."""
    return [(found.level, found.title, text[found.start :].splitlines()[0]) for found in markdown_headings(text)]


def test_the_text_is_the_file(tmp_path: Path) -> None:
    content = "one\r\ntwo\n\n  thrée\t\N{PILE OF POO}\x0cend"
    extracted = stored(tmp_path, "a.log", content)
    assert [page.text for page in extracted.pages] == [content]
    assert (extracted.title, extracted.paged, extracted.media_type) == ("a", False, "text/plain")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_any_text_comes_back_from_utf_8_and_from_every_marked_encoding(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode()) == text
        for encoding in ("utf-8-sig", "utf-16", "utf-32"):
            assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café naïve résumé", "cp1252"),
        ("El niño comió ñoquis", "latin-1"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy", "cp1250"),
        ("Привет, как дела? Это тест.", "cp1251"),
        ("日本語のテキストです。これはテスト", "shift_jis"),
        ("plain words " * 10_000 + "and one café", "cp1252"),
    ],
)
def test_old_encodings_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["One\r\nline", "Привет, как дела?\n" * 9, "Grüße aus Köln " * 2000 + "\N{PILE OF POO}"]
)
def test_wide_encodings_are_recognised_without_a_mark(tmp_path: Path, text: str, encoding: str) -> None:
    assert stored(tmp_path, "a.txt", text.encode(encoding)).pages[0].text == text


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with suppress(UnsupportedError):
        decode(data)


def test_the_data_of_a_picture_in_a_text_is_left_out(tmp_path: Path) -> None:
    text = f"# One\n\n![a](data:image/png;base64,{'A' * 1000}=)\n\nTwo ![b](data:,x)\n"
    extracted = stored(tmp_path, "a.md", text)
    assert extracted.pages[0].text == "# One\n\n![a](data:image/png;base64,)\n\nTwo ![b](data:,x)\n"


def test_one_bad_byte_does_not_make_a_file_latin(tmp_path: Path) -> None:
    text = "Grüße aus Köln\n" * 3
    assert decode(text.encode() + b"\xc3") == text + "\ufffd"


@pytest.mark.parametrize("name", ["junk.txt", "junk.md", "junk.bin", "junk"])
def test_bytes_that_are_no_text_are_refused_whatever_the_ending(tmp_path: Path, name: str) -> None:
    for junk in (bytes(range(256)) * 40, bytes(range(1, 32)) * 100, b"\xfe\x01\x9f\x81" * 99):
        with pytest.raises(UnsupportedError):
            stored(tmp_path, name, junk)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        (b"\xff\xd8\xff\xe0\0", "picture"),
        (b"\x1f\x8b\x08\0", "archive"),
        (b"\x7fELF\2\1\1\0", "program"),
        (b"GGUF\3\0\0\0", "language model"),
        (b"SQLite format 3\0", "database"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, start: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedError, match=kind):
        stored(tmp_path, "file.txt", start + bytes(100))


def test_empty_and_blank_files_hold_no_text(tmp_path: Path) -> None:
    with pytest.raises(EmptyError, match="is empty"):
        stored(tmp_path, "a.txt", b"")
    with pytest.raises(EmptyError, match="no text"):
        stored(tmp_path, "a.txt", b" \n\t\n")


def test_a_file_that_cannot_be_opened_is_a_read_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be opened: No such file"):
        read(tmp_path / "nothing.txt")


def test_content_decides_before_the_ending(tmp_path: Path) -> None:
    docx(tmp_path / "letter.pdf", paragraph("Hi")).rename(tmp_path / "letter.zip")
    assert read(tmp_path / "letter.zip").pages[0].text.strip() == "Hi"
    with pytest.raises(UnsupportedError, match="picture"):
        stored(tmp_path, "photo.pdf", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100))
    assert stored(tmp_path, "letter.docx", "only text").media_type == "text/plain"
    save(pdf("A page"), tmp_path / "report.txt")
    assert read(tmp_path / "report.txt").media_type == "application/pdf"
    assert stored(tmp_path, "page.txt", "<!DOCTYPE html><p>Hi").media_type == "text/html"
    assert stored(tmp_path, "notes.doc", "only text").media_type == "text/plain"
    assert stored(tmp_path, "about.py", 'MAGIC = b"%PDF-1.7"').media_type.startswith("text/")
    assert stored(tmp_path, "mz.txt", "MZ is how programs begin.").pages[0].text.startswith("MZ")


def test_an_undecodable_name_makes_a_printable_title(tmp_path: Path) -> None:
    path = Path(str(tmp_path)) / b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    path.write_text("x")
    assert read(path).title == "caf\\xe9"


def test_markdown_has_headings_and_a_title(tmp_path: Path) -> None:
    extracted = stored(tmp_path, "a.md", "intro\n\n# The *big* `__init__` one #\n\ntext\n\nSub\n---\n")
    assert extracted.title == "The big __init__ one"
    assert [(found.level, found.title) for found in extracted.headings] == [(1, "The big __init__ one"), (2, "Sub")]


def test_headings_of_markdown() -> None:
    text = "\r\n".join(
        [
            "# One",
            "#no heading",
            "####### seven are too many",
            "    # in an indented block",
            "```sh",
            "# a comment",
            "~~~",
            "```",
            "## Two [with a link](http://x.y/z) ##",
            "form\x0cfeed and \u2028 separator",
            "",
            "Three",
            "=====",
            "",
            "- item",
            "---",
            "a | b",
            "--- | ---",
            "# ",
            "### R&D \\# 1",
            "# " + "long " * 50,
        ]
    )
    assert headings(text) == [
        (1, "One", "# One"),
        (2, "Two with a link", "## Two [with a link](http://x.y/z) ##"),
        (1, "Three", "Three"),
        (3, "R&D # 1", "### R&D \\# 1"),
    ]


def test_front_matter_makes_no_heading() -> None:
    assert headings("---\ntitle: x\n---\n\n# Real\n") == [(1, "Real", "# Real")]


@given(st.text(st.sampled_from("#=- `~\\*_[]()\n\r\tab>1."), max_size=80))
def test_headings_of_anything_are_in_order_and_point_to_a_line(text: str) -> None:
    starts = [found.start for found in markdown_headings(text)]
    assert starts == sorted(set(starts))
    assert all(start == 0 or text[start - 1] in "\r\n" for start in starts)


def test_headings_of_restructured_text() -> None:
    text = (
        "=====\nTitle\n=====\n\nintro\n\nSub\n---\n\nDeep\n~~~~\n\nSub2\n----\n\n=== ===\na   b\n=== ===\n\nshort\n--\n"
    )
    found = [(heading.level, heading.title, heading.start) for heading in rst_headings(text)]
    assert found == [(1, "Title", 0), (2, "Sub", 26), (3, "Deep", 35), (2, "Sub2", 46)]


def test_a_csv_file_is_its_text(tmp_path: Path) -> None:
    assert stored(tmp_path, "a.csv", "a;b\n1;2\n").pages[0].text == "a;b\n1;2\n"
