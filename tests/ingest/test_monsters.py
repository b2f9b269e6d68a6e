"""Files made to hurt, read in the real sandbox: each is read, or ends with a reason in words, and the next is read.

What a reader cannot catch (native code that runs out of stack or memory, endless loops), the sandbox does.
"""

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from os import mkfifo
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from ingest.errors import EmptyError, ReadError, UnsupportedError
from ingest.readers import Extracted, read
from ingest.sandbox import Sandbox
from ingest.settings import ReadingSettings
from tests.ingest.files import docx, paragraph, pptx, xlsx

LIMITS = ReadingSettings(seconds=30, memory_mb=512, workers=1)
DEEP = 100_000
MB = 1 << 20
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
OPEN_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text")
)

Read = Callable[[Path], Extracted]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox[Path, Extracted]]:
    with Sandbox(LIMITS, read) as sandbox:
        yield sandbox


@pytest.fixture
def sandboxed(sandbox: Sandbox[Path, Extracted], tmp_path: Path) -> Iterator[Read]:
    """Reads in the sandbox; afterwards, an ordinary file must still be read."""
    yield lambda path: sandbox.submit(path).result()
    (tmp_path / "good.txt").write_text("good")
    assert sandbox.submit(tmp_path / "good.txt").result().pages[0].text == "good"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text_of(extracted: Extracted) -> str:
    return "\n".join(page.text for page in extracted.pages)


def odt(path: Path, body: str, declaration: str = "") -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", OPEN_DOCUMENT + "text")
        archive.writestr(
            "content.xml",
            f"{declaration}<office:document-content {OPEN_NAMESPACES}><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
        )
    return path


def epub(path: Path, body: str, declaration: str = "") -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "c.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><manifest>'
            '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        archive.writestr(
            "a.xhtml", f'{declaration}<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
        )
    return path


def letter(path: Path) -> Path:
    return docx(path, paragraph("hello"))


def workbook(path: Path) -> Path:
    return xlsx(path, {"One": [["hello"]]})


def slides(path: Path) -> Path:
    return pptx(path, ("hello", "", ""))


def open_text(path: Path) -> Path:
    return odt(path, "<text:p>hello</text:p>")


def book(path: Path) -> Path:
    return epub(path, "<p>hello</p>")


PACKED = pytest.mark.parametrize("make", [letter, workbook, slides, open_text, book])


# Packed files


def inflate(path: Path, part: str, megabytes: int, start: bytes = b"", fill: bytes = b"x") -> Path:
    """Adds a part that is a thousand times as large as it looks."""
    block = fill * MB
    with ZipFile(path, "a", ZIP_DEFLATED, compresslevel=1) as archive, archive.open(part, "w") as target:
        target.write(start)
        for _ in range(megabytes):
            target.write(block)
    return path


@PACKED
def test_a_zip_bomb_is_refused_by_what_it_says_itself(
    sandboxed: Read, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = inflate(make(tmp_path / "bomb"), "media.bin", 150)
    with pytest.raises(ReadError, match=r"zip bomb: it unpacks to 150 MB, \d\d\d times its size"):
        sandboxed(path)


def test_a_zip_bomb_that_lies_about_its_size_meets_the_limit_of_memory(sandboxed: Read, tmp_path: Path) -> None:
    path = tmp_path / "bomb.odt"
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", OPEN_DOCUMENT + "text")
    start = f"<office:document-content {OPEN_NAMESPACES}><office:body><office:text><text:p>".encode()
    inflate(path, "content.xml", 600, start)
    true = (600 * MB + len(start)).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(true, (1000).to_bytes(4, "little")))
    with pytest.raises(ReadError, match="more than 512 MB of memory"):
        sandboxed(path)


def test_what_is_embedded_in_a_word_file_is_not_unpacked(sandboxed: Read, tmp_path: Path) -> None:
    inner = inflate(letter(tmp_path / "inner.docx"), "word/media/film.bin", 150)
    outer = letter(tmp_path / "outer.docx")
    with ZipFile(outer, "a") as archive:
        archive.write(inner, "word/embeddings/inner.docx")
    assert text_of(sandboxed(outer)).strip() == "hello"


def test_a_packed_file_of_countless_parts_is_refused(sandboxed: Read, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    with ZipFile(path, "a") as archive:
        for number in range(50_000):
            archive.writestr(f"xl/{number}", "")
    with pytest.raises(ReadError, match="the limit is 50,000"):
        sandboxed(path)


# Deep nesting


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<!DOCTYPE html>" + "<div>" * DEEP),
        ("a.eml", "Content-Type: message/rfc822\n\n" * 5_000),
        ("b.eml", "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(5_000))),
    ],
)
def test_what_is_nested_too_deeply_is_called_so(sandboxed: Read, tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(ReadError, match="nested too deeply"):
        sandboxed(written(tmp_path / name, content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", "<a>" * DEEP + "deep" + "</a>" * DEEP),
        ("a.json", "[" * DEEP + '"deep"' + "]" * DEEP),
        ("a.md", "".join(f"{' ' * depth}- item\n" for depth in range(1_000)) + ">" * DEEP + "- " * DEEP + "deep"),
        ("a.rtf", "{\\rtf1 " + "{" * DEEP + "deep" + "}" * DEEP + "}"),
    ],
)
def test_deep_nesting_does_not_matter_to_text(sandboxed: Read, tmp_path: Path, name: str, content: str) -> None:
    assert "deep" in text_of(sandboxed(written(tmp_path / name, content)))


def test_deep_nesting_in_packed_files_and_notebooks_ends_in_words(sandboxed: Read, tmp_path: Path) -> None:
    lists = "<text:list><text:list-item>" * DEEP + "</text:list-item></text:list>" * DEEP
    monsters = [
        docx(tmp_path / "a.docx", "<w:sdt><w:sdtContent>" * DEEP + "</w:sdtContent></w:sdt>" * DEEP),
        written(tmp_path / "a.ipynb", '{"cells":' + "[" * DEEP + "]" * DEEP + ',"nbformat":4}'),
        odt(tmp_path / "a.odt", lists),  # overflows a stack of native code: the sandbox's matter
        epub(tmp_path / "a.epub", "<div>" * DEEP + "</div>" * DEEP),  # likewise
    ]
    for path in monsters:
        with pytest.raises(ReadError, match=r"damaged|crashed on this file|nested"):
            sandboxed(path)


# PDF


def raw_pdf(path: Path, *objects: bytes) -> Path:
    """A PDF of these objects; the first is its catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return written(path, out + b"xref\n0 %d\n" % (len(objects) + 1) + table + trailer)


def stream(packed: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d /Filter /FlateDecode %b >>\nstream\n%b\nendstream" % (len(packed), entries, packed)


def deflated(block: bytes, times: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(block) for _ in range(times)) + packer.flush()


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
HELLO = b"BT /F1 12 Tf 20 20 Td (hello) Tj ET\n"


def one_page(path: Path, content: bytes, box: bytes = b"0 0 300 300") -> Path:
    return raw_pdf(
        path,
        CATALOGUE,
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%b] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>" % box,
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def test_a_pdf_that_claims_a_million_pages_ends_in_words(sandboxed: Read, tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    tenfold = [b"<< /Type /Pages /Count 10000 /Kids [%b] >>" % (b"%d 0 R " % (level + 3) * 10) for level in range(4)]
    chain = [b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (level + 3) for level in range(20_000)]
    monsters = [
        raw_pdf(tmp_path / "a.pdf", CATALOGUE, b"<< /Type /Pages /Count 1000000 /Kids [3 0 R] >>", page),
        raw_pdf(tmp_path / "b.pdf", CATALOGUE, *tenfold, page),
        raw_pdf(tmp_path / "c.pdf", CATALOGUE, *chain, page),
    ]
    for path in monsters:
        with pytest.raises(ReadError, match=r"no text layer|damaged"):
            sandboxed(path)


def test_a_pdf_that_unpacks_to_gigabytes_meets_the_limit_of_memory(sandboxed: Read, tmp_path: Path) -> None:
    bomb = deflated(b" " * MB, 700)
    objects = stream(bomb, b"/Type /ObjStm /N 1000000 /First 10000000")
    for path in (
        one_page(tmp_path / "a.pdf", stream(bomb)),
        raw_pdf(tmp_path / "b.pdf", b"<< /Type /Catalog /Pages 3 0 R >>", objects),
    ):
        with pytest.raises(ReadError, match="more than 512 MB of memory"):
            sandboxed(path)


def test_odd_pdfs_are_read_or_reported(sandboxed: Read, tmp_path: Path) -> None:
    assert text_of(sandboxed(one_page(tmp_path / "a.pdf", stream(zlib.compress(HELLO)), b"0 0 1e30 1e30"))) == "hello"
    deep = b"<< /Type /Catalog /Pages 2 0 R /X %b%b >>" % (b"[" * DEEP, b"]" * DEEP)
    with pytest.raises(ReadError, match="damaged"):
        sandboxed(raw_pdf(tmp_path / "b.pdf", deep))


# XML


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port, and who called at it."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, caller = server.accept()
                except OSError:
                    return
                callers.append(caller)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], callers
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def within(path: Path, part: str, declaration: str, word: str) -> Path:
    """Declares something in one part of a packed file, and puts `word` in the place of its "hello"."""
    source = path.rename(path.with_name("source"))
    with ZipFile(source) as old, ZipFile(path, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == part:
                content = declaration.encode() + content.partition(b"?>\n")[2] or content
                content = content.replace(b"hello", word.encode())
            new.writestr(name, content)
    return path


def with_entity(folder: Path, declaration: str, word: str) -> Iterator[Path]:
    yield written(folder / "a.xml", f"{declaration}<x>{word}</x>")
    yield written(folder / "a.html", f"<!DOCTYPE html>{declaration}<html><body>hello {word}</body></html>")
    yield odt(folder / "a.odt", f"<text:p>{word}</text:p>", declaration)
    yield epub(folder / "a.epub", f"<p>{word}</p>", declaration)
    for make, part in ((letter, "word/document.xml"), (workbook, "xl/sheet0.xml"), (slides, "ppt/slides/slide1.xml")):
        yield within(make(folder / f"a.{part[:2]}"), part, declaration, word)


def test_external_entities_open_no_file_and_no_connection(
    sandboxed: Read, tmp_path: Path, listener: tuple[int, list[object]]
) -> None:
    port, callers = listener
    secret = written(tmp_path / "secret", "the canary")
    declaration = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "{secret.as_uri()}">'
        f'<!ENTITY n SYSTEM "http://127.0.0.1:{port}/x">]>'
    )
    for path in with_entity(tmp_path, declaration, "&f;&n;"):
        try:
            assert "canary" not in text_of(sandboxed(path))
        except ReadError as error:
            assert error.message
    assert callers == []


def test_a_billion_laughs_stay_unheard(sandboxed: Read, tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    declaration = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>'
    started = time.monotonic()
    for path in with_entity(tmp_path, declaration, "&l9;"):
        try:
            assert len(text_of(sandboxed(path))) < 10_000
        except ReadError as error:
            assert error.message
    assert time.monotonic() - started < LIMITS.seconds


# Text that is none, or too much


def test_wide_tables_and_endless_lines_are_read(sandboxed: Read, tmp_path: Path) -> None:
    columns = ",".join(map(str, range(DEEP)))
    assert text_of(sandboxed(written(tmp_path / "a.csv", f"{columns}\n{columns}\n"))) == f"{columns}\n{columns}\n"
    assert len(text_of(sandboxed(written(tmp_path / "a.txt", b"word " * (4 * MB))))) == 20 * MB


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyError),
        (b" \n" * MB, EmptyError),
        (bytes(MB), UnsupportedError),
        (bytes(range(256)) * 4096, UnsupportedError),
        (b"\xff\xfe" + bytes(MB), UnsupportedError),
    ],
)
def test_what_holds_no_text_is_called_so(
    sandboxed: Read, tmp_path: Path, content: bytes, error: type[ReadError]
) -> None:
    with pytest.raises(error):
        sandboxed(written(tmp_path / "a.txt", content))


# Things that are no files


def test_what_never_ends_meets_the_limit_of_time_and_a_circle_of_links_is_no_file(tmp_path: Path) -> None:
    mkfifo(tmp_path / "pipe")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with Sandbox(LIMITS.model_copy(update={"seconds": 1}), read) as sandbox:
        with pytest.raises(ReadError, match="longer than 1 seconds"):
            sandbox.submit(tmp_path / "pipe").result()
        with pytest.raises(ReadError, match="cannot be opened"):
            sandbox.submit(tmp_path / "one").result()
