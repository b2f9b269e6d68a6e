"""Prints docs/settings.md from the settings themselves: `python scripts/document_settings.py > docs/settings.md`."""

import sys
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.settings import Settings

_HEAD = """# Settings

Settings come from `transom.toml` in TRANSOM_HOME (by default the platform's data folder for Transom), one table
for each section below, and from environment variables, which win: `TRANSOM_EMBEDDING__MODEL=...` sets
`[embedding] model`. A setting that does not exist, or a value that cannot be, is an error that names it.

`TRANSOM_HOME` itself is an environment variable only: all state lives in that folder.

This page is made from the code (`scripts/document_settings.py`); a test keeps it true.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield f"## [{name}]\n\n{_first_line(section)}\n"
            yield "| setting | default | meaning |\n|---|---|---|"
            yield from (_row(key, setting) for key, setting in section.model_fields.items())
            yield ""


def _row(name: str, field: FieldInfo) -> str:
    default = field.get_default()
    shown = "unset" if default is None else f"`{default!r}`".replace("'", '"')
    return f"| `{name}` | {shown} | {field.description} |"


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(page())
