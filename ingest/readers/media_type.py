"""What kind of file this is, by its first bytes, and by its ending where the bytes leave it open."""

import mmap
import zipfile
import zlib
from mimetypes import MimeTypes
from pathlib import Path

from ingest.errors import EmptyError, EncryptedError, ReadError, UnsupportedError
from ingest.readers.text import wide_encoding

PDF = "application/pdf"
HTML = "text/html"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = _OFFICE + "wordprocessingml.document"
PPTX = _OFFICE + "presentationml.presentation"
XLSX = _OFFICE + "spreadsheetml.sheet"
_OPEN = "application/vnd.oasis.opendocument."
_DOC, _XLS, _PPT = "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"
MSG, EML = "application/vnd.ms-outlook", "message/rfc822"
_EPUB, _RTF, _IPYNB = "application/epub+zip", "application/rtf", "application/x-ipynb+json"
SHEETS = {XLSX, _XLS, _OPEN + "spreadsheet"}
FLOWING = {_DOC, _PPT, _OPEN + "text", _EPUB, _RTF, _IPYNB}
"""Office files whose pages only their program knows. All that is in none of these sets is text."""

PACKED = {DOCX, PPTX, XLSX, _EPUB, _OPEN + "text", _OPEN + "spreadsheet"}

_HEAD = 8192
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, EOFError, OSError)
"""What Python raises for a damaged packed file that could be opened."""
_MOST_PARTS = 50_000
_LARGE = 100 << 20
"""Bytes that any packed file may unpack to."""
_DENSEST = 100
"""A larger one, only so many times its size: sheets come to 40 times, zip bombs to 1,000."""
_MANIFEST = "META-INF/manifest.xml"
_RIGHTS = ("META-INF/rights.xml", "META-INF/license.lcpl", "META-INF/sinf.xml")
"""What the three kinds of copy protection put into a book."""
_ZIP_PARTS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
_OLE_ENDINGS = {".doc": _DOC, ".xls": _XLS, ".ppt": _PPT, ".msg": MSG}
_OLE_STREAMS = {
    "__properties_version1.0": MSG,
    "PowerPoint Document": _PPT,
    "WordDocument": _DOC,
    "Workbook": _XLS,
}
_TEXT_ENDINGS = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".xhtml": HTML,
    ".eml": EML,
    ".ipynb": _IPYNB,
    ".rst": "text/x-rst",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
}
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"BM", "image/bmp"),
)
PICTURES = {media_type for _, media_type in _PICTURES}
_BINARY = (
    (b"\x1f\x8b", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ID3", "a recording"),
    (b"OggS", "a recording"),
    (b"RIFF", "a recording or a picture"),
    (b"\0\0\0\x18ftyp", "a recording"),
    (b"\0\0\0\x20ftyp", "a recording"),
    (b"SQLite format 3", "a database"),
    (b"GGUF", "a language model"),
)
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
"""Byte order marks of text that may hold zero bytes."""
_KNOWN_ENDINGS = MimeTypes()  # the ones Python brings, whatever the machine has installed


def media_type_of(path: Path) -> str:
    """The media type of a file that a reader knows.

    Raises :class:`UnsupportedError` for any other, :class:`EncryptedError` for an Office file with a password,
    :class:`EmptyError` for a file without content, and OSError where it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise EmptyError("The file is empty.")
    if _is_pdf(path, head):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _ole_type(path)
    if head.startswith(b"{\\rtf"):
        return _RTF
    return _text_type(path, head)


def _is_pdf(path: Path, head: bytes) -> bool:
    """PDFs may begin with rubbish; a text that only speaks of the format has another ending."""
    return head.lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and path.suffix.lower() == ".pdf")


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_unpacked_size(archive, path.stat().st_size)
            names = archive.namelist()
            media_type = _declared(archive) if "mimetype" in names else ""
            locked = _is_locked(archive, names)
    except BROKEN as error:
        raise ReadError(f"The file is damaged: {error}", "Open it in its own program and save it again.") from error
    if not media_type and "[Content_Types].xml" in names:
        parts = (known for part, known in _ZIP_PARTS.items() if any(name.startswith(part) for name in names))
        media_type = next(parts, "")
    if media_type not in PACKED:
        raise UnsupportedError(
            "It is an archive, or a format packed in one that is not known here.",
            "Unpack an archive into the folder; save a document as PDF.",
        )
    if locked:
        raise EncryptedError("The file has a password or is copy-protected.", "Save a copy without it.")
    return media_type


def _check_unpacked_size(archive: zipfile.ZipFile, packed: int) -> None:
    """Refuses what says itself that it is a bomb; one that lies about its size meets the limit of memory."""
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS:
        raise ReadError(f"The file is packed of {len(parts):,} parts; the limit is {_MOST_PARTS:,}.")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > max(_LARGE, packed * _DENSEST):
        size, times = f"{unpacked >> 20:,} MB", f"{unpacked // packed:,} times its size"
        raise ReadError(f"The file looks like a zip bomb: it unpacks to {size}, {times}.")


def _is_locked(archive: zipfile.ZipFile, names: list[str]) -> bool:
    """Whether an OpenDocument or a book says that its parts are encrypted."""
    if any(name in names for name in _RIGHTS):
        return True
    if _MANIFEST not in names or archive.getinfo(_MANIFEST).file_size > _LARGE:
        return False
    return b"encryption-data" in archive.read(_MANIFEST)


def _declared(archive: zipfile.ZipFile) -> str:
    """The type that an EPUB or OpenDocument file names in its own first member."""
    with archive.open("mimetype") as file:
        return file.read(100).decode("ascii", "replace").strip()


def _ole_type(path: Path) -> str:
    """Word, Excel, PowerPoint and Outlook of old, and the wrapping of a newer file with a password."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        streams = [name for name in ("EncryptedPackage", *_OLE_STREAMS) if content.find(name.encode("utf-16-le")) >= 0]
    if "EncryptedPackage" in streams:
        raise EncryptedError("The file has a password.", "Save a copy without it.")
    if path.suffix.lower() in _OLE_ENDINGS:
        return _OLE_ENDINGS[path.suffix.lower()]
    if not streams:
        raise UnsupportedError("An old Office file of a kind that is not known here.")
    return _OLE_STREAMS[streams[0]]


def _text_type(path: Path, head: bytes) -> str:
    zeros = b"\0" in head and not head.startswith(_WIDE)
    for magic, media_type in _PICTURES:
        if head.startswith(magic) and (zeros or not magic.isascii()):  # a text may begin with "BM"
            return media_type
    for magic, kind in _BINARY:
        if head.startswith(magic) and (zeros or not magic.isascii()):
            raise UnsupportedError(f"It is {kind}: nothing here reads that.")
    if zeros and not wide_encoding(head):
        raise UnsupportedError("It is neither text nor a format that is known here.")
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:14].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return HTML
    guessed = _KNOWN_ENDINGS.guess_type(path.name)[0] or ""
    # A text with the ending of a picture or a PDF is a text all the same.
    return _TEXT_ENDINGS.get(path.suffix.lower()) or (guessed if guessed.startswith("text/") else "text/plain")
