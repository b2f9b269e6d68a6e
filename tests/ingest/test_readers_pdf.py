from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.constants import PageLabelStyle

from ingest.documents import PAGE_BREAK
from ingest.errors import EmptyError, EncryptedError, ReadError
from ingest.readers import Extracted, read
from ingest.readers.hyphens import mend
from tests.ingest.files import pdf, save


def saved(writer: PdfWriter, folder: Path) -> Extracted:
    return read(save(writer, folder / "report.pdf"))


def test_pages_labels_and_title(tmp_path: Path) -> None:
    writer = pdf("Preface\nof two lines", "First", "Second")
    writer.add_metadata({"/Title": "Annual  report"})
    writer.set_page_label(0, 0, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(1, 2, style=PageLabelStyle.DECIMAL)
    extracted = saved(writer, tmp_path)
    assert extracted.title == "Annual report"
    assert extracted.paged
    assert [(page.number, page.label, page.text) for page in extracted.pages] == [
        (1, "i", "Preface\nof two lines"),
        (2, "1", "First"),
        (3, "2", "Second"),
    ]


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - draft.doc", "report_final.docx", "Document1"])
def test_a_title_that_says_nothing_gives_way_to_the_name(tmp_path: Path, title: str) -> None:
    writer = pdf("text")
    writer.add_metadata({"/Title": title})
    assert saved(writer, tmp_path).title == "report"


def test_the_outline_leads_to_where_its_titles_stand(tmp_path: Path) -> None:
    writer = pdf("Contents\nMethods", "end of the\n2.1 Methods\nand so on\nmethods again", "Nothing of the kind")
    chapter = writer.add_outline_item(title="Methods", page_number=1)
    writer.add_outline_item(title="Results", page_number=2, parent=chapter)
    writer.add_outline_item(title="Contents", page_number=0)
    extracted = saved(writer, tmp_path)
    text = PAGE_BREAK.join(page.text for page in extracted.pages)
    found = [(heading.level, heading.title, text[heading.start :].split("\n")[0]) for heading in extracted.headings]
    assert found == [
        (1, "Contents", "Contents"),
        (1, "Methods", "2.1 Methods"),
        (2, "Results", "Nothing of the kind"),
    ]


def test_a_pdf_with_only_an_owner_password_is_read(tmp_path: Path) -> None:
    writer = pdf("For all to read")
    writer.encrypt(user_password="", owner_password="secret", algorithm="AES-256")
    assert saved(writer, tmp_path).pages[0].text == "For all to read"


def test_a_pdf_with_a_password_is_reported(tmp_path: Path) -> None:
    writer = pdf("Not for all")
    writer.encrypt(user_password="secret", algorithm="AES-256")
    with pytest.raises(EncryptedError) as failure:
        saved(writer, tmp_path)
    assert failure.value.hint


def test_a_pdf_without_text_is_called_a_scan(tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    with pytest.raises(EmptyError, match="no text layer"):
        saved(writer, tmp_path)


def test_rubbish_before_a_pdf_does_not_matter(tmp_path: Path) -> None:
    path = save(pdf("A page"), tmp_path / "a.pdf")
    path.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + path.read_bytes())
    assert read(path).pages[0].text == "A page"


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_a_truncated_pdf_is_read_or_reported(tmp_path: Path, keep: float) -> None:
    path = save(pdf("one", "two", "three"), tmp_path / "a.pdf")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    try:
        assert read(path).pages
    except ReadError as error:
        assert error.message
        assert error.hint


def test_a_tree_of_pages_that_goes_in_a_circle_is_reported(tmp_path: Path) -> None:
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Count 1000000 /Kids [3 0 R] >>",
        "<< /Type /Pages /Parent 2 0 R /Count 1000000 /Kids [2 0 R] >>",
    ]
    body = "%PDF-1.4\n" + "".join(f"{n} 0 obj\n{content}\nendobj\n" for n, content in enumerate(objects, 1))
    (tmp_path / "a.pdf").write_text(body + "trailer << /Root 1 0 R /Size 4 >>\n%%EOF")
    with pytest.raises(ReadError):
        read(tmp_path / "a.pdf")


def test_cut_words_are_mended_as_the_document_writes_them() -> None:
    assert mend(["the light\ufffe\r\nhouse and a third\ufffe\r\nparty", "lighthouse, third-party"]) == [
        "the lighthouse and a third-party",
        "lighthouse, third-party",
    ]
    assert mend(["nothing to do"]) == ["nothing to do"]


def test_an_unknown_cut_is_a_compound_only_between_words() -> None:
    texts = [
        "foli\ufffeage, FDA\ufffelicensed, COVID\ufffe19, cash\ufffe\r\ngenerating, in\ufffehouse",
        "in the house: cash",
    ]
    assert mend(texts)[0] == "foliage, FDA-licensed, COVID-19, cash-generating, in-house"


def test_mending_a_long_run_of_letters_takes_linear_time() -> None:
    assert mend(["a" * 300_000 + " foli\ufffeage"])[0].endswith("a foliage")
