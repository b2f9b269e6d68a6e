from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

import pytest

from ingest.documents import PAGE_BREAK
from ingest.errors import EmptyError, EncryptedError, ReadError, UnsupportedError
from ingest.readers import Extracted, read
from ingest.readers.markup import readable
from tests.ingest.files import docx, paragraph, pptx, xlsx

OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def text_of(extracted: Extracted) -> str:
    return PAGE_BREAK.join(page.text for page in extracted.pages)


def titles(extracted: Extracted) -> list[tuple[int, str, str]]:
    """Each heading with the line it points to."""
    text = text_of(extracted)
    return [(found.level, found.title, text[found.start :].split("\n")[0]) for found in extracted.headings]


def web(folder: Path, content: str | bytes) -> Extracted:
    path = folder / "page.html"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path)


# Word


def test_a_word_file_keeps_every_character(tmp_path: Path) -> None:
    heading = paragraph("R&amp;D &lt;draft&gt;", "Heading1")
    words = paragraph("AT&amp;T: 5 &lt; 6 &gt; 4, 100_000 * [x] #1 caf&#233;!")
    runs = "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"
    extracted = read(docx(tmp_path / "a.docx", heading + words + runs))
    text = text_of(extracted)
    assert "AT&T: 5 < 6 > 4, 100_000 * [x] #1 café!" in text
    assert "a\tb c-d" in text
    assert [(title, line.strip("# ")) for _, title, line in titles(extracted)] == [("R&D <draft>", "R&D <draft>")]
    assert (extracted.title, extracted.paged) == ("a", False)


def test_a_word_table_is_a_table(tmp_path: Path) -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Item", "P&amp;L"))
    table = f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{cells}</w:tr></w:tbl>"
    assert "| Item | P&L |\n| --- | --- |\n| Item | P&L |" in text_of(read(docx(tmp_path / "a.docx", table)))


def test_an_empty_word_file_holds_no_text(tmp_path: Path) -> None:
    with pytest.raises(EmptyError):
        read(docx(tmp_path / "a.docx", ""))


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.95])
def test_a_truncated_office_file_is_reported(tmp_path: Path, keep: float) -> None:
    path = docx(tmp_path / "a.docx", paragraph("text"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(ReadError, match="damaged") as failure:
        read(path)
    assert failure.value.hint


def test_broken_compression_in_a_word_file_is_reported(tmp_path: Path) -> None:
    path = docx(tmp_path / "a.docx", paragraph("text " * 100))
    with ZipFile(path) as archive:
        start = archive.getinfo("word/document.xml").header_offset + 30 + len("word/document.xml")
    content = bytearray(path.read_bytes())
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(ReadError, match="damaged: Error -3"):
        read(path)


def test_broken_xml_in_a_word_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="damaged"):
        read(docx(tmp_path / "a.docx", "<w:p>"))


def test_office_files_with_a_password_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedError):
        read(path)


def test_open_documents_with_a_password_and_protected_books_are_reported(tmp_path: Path) -> None:
    parts = {
        OPEN_DOCUMENT + "text": ("META-INF/manifest.xml", "<m:manifest><m:encryption-data/></m:manifest>"),
        "application/epub+zip": ("META-INF/rights.xml", "<rights/>"),
    }
    for media_type, (name, content) in parts.items():
        with ZipFile(tmp_path / "a", "w") as archive:
            archive.writestr("mimetype", media_type)
            archive.writestr(name, content)
        with pytest.raises(EncryptedError):
            read(tmp_path / "a")


# Sheets and slides


def test_each_sheet_is_a_page_with_its_name(tmp_path: Path) -> None:
    extracted = read(
        xlsx(tmp_path / "a.xlsx", {"P&amp;L": [["h", "v"], ["x&amp;y", "a\nb"]], "Empty": [], "B#2": [["z"]]})
    )
    assert [(page.number, page.label) for page in extracted.pages] == [(1, "P&L"), (3, "B#2")]
    assert extracted.pages[0].text == "P&L\n\n| h | v |\n| --- | --- |\n| x&y | a b |"
    assert titles(extracted) == [(1, "P&L", "P&L"), (1, "B#2", "B#2")]
    assert extracted.paged


def test_a_date_in_a_sheet_has_no_time_of_its_own(tmp_path: Path) -> None:
    days = ["2024-05-01 00:00:00", "2024-05-01 13:05:00", "on 2024-05-01 00:00:00"]
    text = read(xlsx(tmp_path / "a.xlsx", {"Days": [days]})).pages[0].text
    assert text == "Days\n\n| 2024-05-01 | 2024-05-01 13:05:00 | on 2024-05-01 00:00:00 |"


def test_slides_come_in_the_order_they_are_shown_in_with_their_notes(tmp_path: Path) -> None:
    extracted = read(pptx(tmp_path / "a.pptx", ("One", "first * point", "say hello"), ("Two", "x\vy", "")))
    assert [page.text for page in extracted.pages] == ["One\nfirst * point\n\nNotes: say hello", "Two\nx\ny"]
    assert titles(extracted) == [(1, "One", "One"), (1, "Two", "Two")]
    assert extracted.paged


def test_a_damaged_presentation_is_reported(tmp_path: Path) -> None:
    path = pptx(tmp_path / "a.pptx", ("One", "text", ""))
    with ZipFile(path) as source, ZipFile(tmp_path / "b.pptx", "w") as target:
        for name in source.namelist():
            if "slides/slide" not in name:
                target.writestr(name, source.read(name))
    with pytest.raises(ReadError, match="damaged"):
        read(tmp_path / "b.pptx")


# Web pages


def test_a_web_page_is_what_a_person_sees(tmp_path: Path) -> None:
    extracted = web(
        tmp_path,
        """<!DOCTYPE html><html><head><title>R&amp;D &mdash; news</title><meta name="description" content="hidden">
        <style>p { color: red }</style><script>var evil = 1</script></head><body><!-- comment -->
        <h1>Head <em>one</em>!</h1><p>5 &lt; 6 * x_y <a href="http://x.y/z?q=1">link</a><img src="a.png" alt="pic"></p>
        <script>evil()</script><template>unseen</template><h2>Sub</h2><ul><li>item</ul>
        <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></body></html>""",
    )
    text = text_of(extracted)
    assert extracted.title == "R&D — news"
    assert [(level, title) for level, title, _ in titles(extracted)] == [(1, "Head one!"), (2, "Sub")]
    for seen in ("5 < 6 * x_y linkpic", "- item", "| 1 | 2 |"):
        assert seen in text
    for unseen in ("evil", "color", "comment", "unseen", "hidden", "http", "title"):
        assert unseen not in text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<meta charset=latin-1><p>café</p>".encode("latin-1"), "café"),
        ("\ufeff<html><p>Grüße</p>".encode("utf-16"), "Grüße"),
        ("<p>ohne Angabe: Köln".encode(), "ohne Angabe: Köln"),
    ],
)
def test_a_web_page_is_decoded_as_it_says(tmp_path: Path, content: bytes, text: str) -> None:
    assert text in text_of(web(tmp_path, content))


def test_a_web_page_without_text_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyError):
        web(tmp_path, "<html><head><title>x</title></head><body><script>a()</script></body></html>")


def test_markdown_of_a_converter_becomes_readable() -> None:
    text, headings = readable('a\\_b ![pic](x.png "t")\n\n## Two\\# [l](u(v))\n\n```\nc\\_d [k](v)\n```\n<http://x>\n')
    assert text == "a_b pic\n\n## Two# l\n\n```\nc\\_d [k](v)\n```\nhttp://x\n"
    assert [(found.level, found.title, found.start) for found in headings] == [(2, "Two# l", 9)]


def test_a_link_around_a_picture_leaves_the_pictures_description() -> None:
    assert readable("[![](a.gif)](b.html) [![The map](m.png) of all](u)")[0] == " The map of all"


@pytest.mark.parametrize(
    "piece", ["![", "[", "[![a](b)", "![a](b)[", "[a](", "<http://", "`a", "```\n~~~\n", "\\", '[a](b "', "(", "# ["]
)
def test_hostile_markdown_takes_no_more_than_linear_time(piece: str) -> None:
    readable(piece * (300_000 // len(piece)))  # quadratic, this would meet the time limit of the suite


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "table><tr><td", "blockquote"])
def test_a_web_page_keeps_what_is_nested_deeply(tmp_path: Path, tag: str) -> None:
    """Kreuzberg alone leaves out what is deeper than about fifty elements."""
    text = text_of(web(tmp_path, f"<!DOCTYPE html><p>start</p>{f'<{tag}>' * 200}deep <i>down</i>"))
    assert "start" in text
    assert "deep down" in text.replace("*", "")


def test_a_picture_within_a_page_is_no_text(tmp_path: Path) -> None:
    picture = "A" * (10 << 20)
    page = f'<!DOCTYPE html><p>before</p><img src="data:image/png;base64,{picture}"><p>after</p>'
    assert text_of(web(tmp_path, page)).split() == ["before", "after"]


# Mail, books, other packages


def mail(**header: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in header.items():
        message[name] = value
    return message


def test_mail_has_its_header_body_and_the_names_of_what_is_attached(tmp_path: Path) -> None:
    message = mail(
        Subject="Grüße aus Köln", From="Ann <a@b.c>", To="Bob <b@b.c>", Date="Mon, 01 Jan 2024 10:00:00 +0000"
    )
    message.set_content("Hello *Bob*\n# no heading\n")
    message.add_alternative("<p>Not this one</p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="bill.pdf")
    (tmp_path / "a.eml").write_bytes(bytes(message))
    extracted = read(tmp_path / "a.eml")
    assert extracted.title == "Grüße aus Köln"
    assert text_of(extracted) == (
        "Subject: Grüße aus Köln\nFrom: Ann <a@b.c>\nTo: Bob <b@b.c>\nDate: Mon, 01 Jan 2024 10:00:00 +0000\n\n"
        "Hello *Bob*\n# no heading\n\nAttached: bill.pdf"
    )
    assert not extracted.headings


def test_mail_that_is_only_a_web_page_is_read_as_one(tmp_path: Path) -> None:
    message = mail(Subject="News")
    message.set_content("<style>p{}</style><h1>Hi</h1><p>R&amp;D</p><script>evil()</script>", subtype="html")
    (tmp_path / "a.eml").write_bytes(bytes(message))
    assert text_of(read(tmp_path / "a.eml")) == "Subject: News\n\n# Hi\n\nR&D"


def test_mail_in_an_unknown_charset_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(
        b"Subject: x\nContent-Type: text/plain; charset=unknown-8bit\n"
        b"Content-Transfer-Encoding: 8bit\n\ncaf\xe9 au lait\n"
    )
    assert "café au lait" in text_of(read(tmp_path / "a.eml"))


def test_halves_of_characters_and_broken_headers_in_mail(tmp_path: Path) -> None:
    head = b"Subject: caf\xe9\nContent-Type: text/plain; charset=utf-7\n\n"
    (tmp_path / "a.eml").write_bytes(head + b"+2AA- Hello\n")
    assert text_of(read(tmp_path / "a.eml")) == "Subject: caf\ufffd\n\n? Hello"
    (tmp_path / "b.eml").write_bytes(b"Subject: =?unicode_escape?q?=5Cud800?=\n\nHello\n")
    with pytest.raises(ReadError, match="message is damaged"):
        read(tmp_path / "b.eml")


def test_a_book_has_its_chapters_and_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    head = '<head><title>t</title><meta name="x" content="y"/></head>'
    page = f'<html xmlns="http://www.w3.org/1999/xhtml">{head}<body>{{}}</body></html>'
    with ZipFile(path, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        book.writestr(
            "c.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Light &amp; fog</dc:title></metadata>'
            '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="b"/><itemref idref="a"/></spine></package>',
        )
        book.writestr("a.xhtml", page.format("<h1>Two</h1><p>The end</p>"))
        book.writestr("b.xhtml", page.format("<h1>One &mdash; first</h1><p>Once</p>"))
    extracted = read(path)
    assert extracted.title == "Light & fog"
    assert " ".join(text_of(extracted).split()) == "# One — first Once # Two The end"
    assert [title for _, title, _ in titles(extracted)] == ["One — first", "Two"]


def test_an_open_document_is_read(tmp_path: Path) -> None:
    namespaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text")
    )
    body = '<text:h text:outline-level="2">R&amp;D</text:h><text:p>One<text:tab/>two</text:p>'
    with ZipFile(tmp_path / "a.odt", "w") as archive:
        archive.writestr("mimetype", OPEN_DOCUMENT + "text")
        archive.writestr(
            "content.xml",
            f"<office:document-content {namespaces}><office:body><office:text>{body}</office:text></office:body>"
            "</office:document-content>",
        )
    extracted = read(tmp_path / "a.odt")
    assert text_of(extracted).split("\n\n") == ["## R&D", "One\ttwo\n"]
    assert titles(extracted) == [(2, "R&D", "## R&D")]


@pytest.mark.parametrize("declared", ["", OPEN_DOCUMENT + "graphics", "application/java-archive"])
def test_other_packages_are_archives(tmp_path: Path, declared: str) -> None:
    path = tmp_path / "a.docx"
    with ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
        if declared:
            archive.writestr("mimetype", declared)
    with pytest.raises(UnsupportedError):
        read(path)


def test_an_old_office_file_of_an_unknown_kind_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLE + bytes(600))
    with pytest.raises(UnsupportedError):
        read(tmp_path / "a")


def test_a_notebook_is_its_cells(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Title\\n", "text"]}, {"cell_type": "code",'
        '"metadata": {}, "source": ["print(1)"], "outputs": [], "execution_count": 1}], "metadata": {}, "nbformat": 4,'
        '"nbformat_minor": 5}'
    )
    extracted = read(tmp_path / "a.ipynb")
    assert titles(extracted) == [(1, "Title", "# Title")]
    assert "print(1)" in text_of(extracted)
    assert "cell_type" not in text_of(extracted)
