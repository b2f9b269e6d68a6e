"""E-mail as it is stored (.eml): its header, its body, and the names of what is attached."""

from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from pathlib import Path

from ingest.documents import Page
from ingest.errors import ReadError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.text import decode, storable
from ingest.readers.web import web_text

_HEADER = ("Subject", "From", "To", "Cc", "Date")


def read_mail(path: Path, media_type: str) -> Extracted:
    """Reads a message; the subject is its title. Raises :class:`ReadError`."""
    try:
        with path.open("rb") as file:
            message = BytesParser(EmailMessage, policy=policy.default).parse(file)
        text, warnings = _text(message)
        subject = storable(message["Subject"] or "")
    except (OSError, MemoryError, RecursionError, ReadError):
        raise
    except Exception as error:  # whatever the standard library stumbles over in a broken header
        raise ReadError(f"The message is damaged: {error}", "Open it in a mail program and save it again.") from error
    return Extracted(title_or_name(subject, path), media_type, (Page(1, storable(text)),), warnings=warnings)


def _text(message: EmailMessage) -> tuple[str, tuple[str, ...]]:
    """The text of a message, and what its body hides."""
    header = "\n".join(f"{name}: {message[name]}" for name in _HEADER if message[name])
    attached = ", ".join(part.get_filename() or "without a name" for part in message.iter_attachments())
    body, warnings = _body(message)
    parts = [header, body, f"Attached: {attached}" if attached else ""]
    return "\n\n".join(part.strip() for part in parts if part.strip()), warnings


def _body(message: EmailMessage) -> tuple[str, tuple[str, ...]]:
    """The body as plain text, or else as the web page it is, and what that hides."""
    body = message.get_body(("plain", "html"))
    text = _content(body) if body is not None else ""
    is_page = body is not None and body.get_content_subtype() == "html"
    return web_text(text) if is_page else (text, ())


def _content(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except LookupError:  # a charset that nobody knows
        payload = part.get_payload(decode=True)
        return decode(payload if isinstance(payload, bytes) else b"")
