"""What kind of file this is, by its first bytes, and by its ending where the bytes leave it open."""

import zipfile
from mimetypes import guess_type
from pathlib import Path

from ingest.errors import EmptyError, ReadError, UnsupportedError

_HEAD = 8192
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP_PARTS = {
    "word/": _OFFICE + "wordprocessingml.document",
    "ppt/": _OFFICE + "presentationml.presentation",
    "xl/": _OFFICE + "spreadsheetml.sheet",
}
_OLE_ENDINGS = {
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".msg": "application/vnd.ms-outlook",
}
_TEXT_ENDINGS = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".eml": "message/rfc822",
    ".rst": "text/x-rst",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
}
_BINARY = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"\x1f\x8b", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ID3", "a recording"),
    (b"OggS", "a recording"),
    (b"GGUF", "a language model"),
)


def media_type_of(path: Path) -> str:
    """The media type of a file that a reader knows; raises :class:`UnsupportedError` for any other."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise ReadError(f"The file cannot be opened: {error.strerror or error}") from error
    if not head:
        raise EmptyError("The file is empty.")
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _ole_type(path)
    if head.startswith(b"{\\rtf"):
        return "application/rtf"
    return _text_type(path, head)


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                return archive.read("mimetype")[:100].decode("ascii", "replace").strip()
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ReadError(f"The file is damaged: {error}", "Open it in its own program and save it again.") from error
    for part, media_type in _ZIP_PARTS.items():
        if any(name.startswith(part) for name in names):
            return media_type
    raise UnsupportedError("An archive is not read.", "Unpack it into the folder.")


def _ole_type(path: Path) -> str:
    media_type = _OLE_ENDINGS.get(path.suffix.lower())
    if media_type is None:
        raise UnsupportedError(
            "An old Office file with an unknown ending, or an Office file with a password.",
            "Give it its ending (.doc, .xls, .ppt, .msg), or save it without the password.",
        )
    return media_type


def _text_type(path: Path, head: bytes) -> str:
    for magic, kind in _BINARY:
        if head.startswith(magic):
            raise UnsupportedError(f"It is {kind}: nothing here reads that.")
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise UnsupportedError("It is neither text nor a format that is known here.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    ending = path.suffix.lower()
    return _TEXT_ENDINGS.get(ending) or _plain(guess_type(path.name)[0])


def _plain(guessed: str | None) -> str:
    """Text has a text type: an ending that promises pictures or sound was wrong about this file."""
    if guessed and guessed.startswith(("text/", "application/")):
        return guessed
    return "text/plain"
