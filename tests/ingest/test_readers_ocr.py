"""Scans and pictures, with Tesseract where it is installed, and with a stand-in where its behaviour matters."""

import os
import shutil
import sys
import time
import zlib
from functools import partial
from pathlib import Path

import psutil
import pypdfium2 as pdfium
import pytest
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, NumberObject, StreamObject

from ingest.errors import EmptyError, ReadError, UnsupportedError
from ingest.readers import ocr, read
from ingest.sandbox import Sandbox
from ingest.settings import ReadingSettings
from tests.ingest.files import pdf, save

tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")


def drawn(text: str, folder: Path) -> pdfium.PdfBitmap:
    """A text as a picture of a page."""
    with pdfium.PdfDocument(save(pdf(text), folder / "drawn.pdf")) as document:
        return document[0].render(scale=3, grayscale=True)


def add_scan(writer: PdfWriter, picture: pdfium.PdfBitmap) -> None:
    """Adds a page that is nothing but a picture."""
    pixels = picture.to_numpy()
    image = StreamObject()
    image._data = zlib.compress(pixels.tobytes())
    names = {"Type": "XObject", "Subtype": "Image", "ColorSpace": "DeviceGray", "Filter": "FlateDecode"}
    image.update({NameObject(f"/{key}"): NameObject(f"/{value}") for key, value in names.items()})
    numbers = {"Height": pixels.shape[0], "Width": pixels.shape[1], "BitsPerComponent": 8}
    image.update({NameObject(f"/{key}"): NumberObject(value) for key, value in numbers.items()})
    page = writer.add_blank_page(300, 300)
    pictures = DictionaryObject({NameObject("/I"): writer._add_object(image)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): pictures})
    content = StreamObject()
    content._data = b"300 0 0 300 0 0 cm /I Do"
    page[NameObject("/Contents")] = writer._add_object(content)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Text, a scan, a blank sheet, a scan."""
    writer = pdf("Typed by hand")
    add_scan(writer, drawn("The lighthouse\nat Skerryvore", tmp_path))
    writer.add_blank_page(300, 300)
    add_scan(writer, drawn("was lit in 1844", tmp_path))
    return save(writer, tmp_path / "scan.pdf")


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in Tesseract's place, which knows English and for a picture does what `script` says."""
    program = folder / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nif [ "$1" = --list-langs ]; then echo Languages:; echo eng; exit; fi\n{script}\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@tesseract
def test_pages_without_text_are_recognised_and_keep_their_numbers(scan: Path) -> None:
    pages = read(scan, ocr=True).pages
    assert [page.number for page in pages] == [1, 2, 3, 4]
    assert [" ".join(page.text.split()) for page in pages] == [
        "Typed by hand",
        "The lighthouse at Skerryvore",
        "",
        "was lit in 1844",
    ]


@tesseract
@pytest.mark.parametrize("ending", ["png", "jpg", "tiff", "gif", "bmp"])
def test_a_picture_is_recognised(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photo.{ending}"
    drawn("The lighthouse", tmp_path).to_pil().save(path)
    with pytest.raises(UnsupportedError, match="picture") as failure:
        read(path)
    assert "--ocr" in failure.value.hint
    extracted = read(path, ocr=True)
    assert ([page.text for page in extracted.pages], extracted.paged) == (["The lighthouse"], False)


@tesseract
def test_a_picture_of_many_pages_has_pages(tmp_path: Path) -> None:
    first, second = (drawn(text, tmp_path).to_pil() for text in ("The first", "The second"))
    first.save(tmp_path / "fax.tiff", save_all=True, append_images=[second])
    extracted = read(tmp_path / "fax.tiff", ocr=True)
    assert [(page.number, page.text) for page in extracted.pages] == [(1, "The first"), (2, "The second")]
    assert extracted.paged


@tesseract
def test_a_damaged_picture_and_one_without_text_are_reported(tmp_path: Path) -> None:
    drawn("", tmp_path).to_pil().save(tmp_path / "blank.png")
    with pytest.raises(EmptyError, match="no text in the picture"):
        read(tmp_path / "blank.png", ocr=True)
    (tmp_path / "cut.png").write_bytes((tmp_path / "blank.png").read_bytes()[:60])
    with pytest.raises(ReadError, match="cannot read the picture"):
        read(tmp_path / "cut.png", ocr=True)


def test_a_scan_says_how_it_can_be_read(tmp_path: Path) -> None:
    writer = PdfWriter()
    add_scan(writer, drawn("The lighthouse", tmp_path))
    with pytest.raises(EmptyError, match="no text layer") as failure:
        read(save(writer, tmp_path / "a.pdf"))
    assert "--ocr" in failure.value.hint


def test_where_tesseract_is_missing_the_error_names_what_to_install(
    scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    ocr._program.cache_clear()
    assert read(scan).pages[0].text == "Typed by hand"
    with pytest.raises(ReadError, match="not installed") as failure:
        read(scan, ocr=True)
    assert "apt install tesseract-ocr" in failure.value.hint


def test_only_pages_without_text_are_recognised_and_the_limit_of_time_is_for_each(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, f"cat > /dev/null; echo x >> {tmp_path}/calls; sleep 1.2; echo word")
    with Sandbox(ReadingSettings(seconds=2, workers=1), partial(read, ocr=True)) as sandbox:
        pages = sandbox.submit(scan).result().pages
    assert [page.text for page in pages] == ["Typed by hand", "word", "", "word"]
    assert (tmp_path / "calls").read_text().split() == ["x", "x"]


@pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere, Tesseract ends with its page")
def test_a_page_that_takes_too_long_ends_the_file_and_its_tesseract(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with Sandbox(ReadingSettings(seconds=1, workers=1), partial(read, ocr=True)) as sandbox:
        with pytest.raises(ReadError, match="longer than 1 seconds"):
            sandbox.submit(scan).result()
        pid = int((tmp_path / "pid").read_text())
        deadline = time.monotonic() + 5
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
