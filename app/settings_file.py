"""Writes settings into `TRANSOM_HOME/transom.toml`, leaving all else in it as it stands."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError

from app.settings import Settings
from ingest.errors import SettingsError
from ingest.settings import Section

Values = Mapping[str, Mapping[str, Any]]
"""By section and name; None takes a setting out, so that its default holds."""


def write_settings(home: Path, values: Values) -> Path:
    """Sets these values; gives the file.

    Raises :class:`SettingsError`, and changes nothing, where one cannot be or the file cannot be written.
    """
    file = home / "transom.toml"
    try:
        document = tomlkit.parse(file.read_text("utf-8")) if file.exists() else tomlkit.document()
        for section, wanted in values.items():
            table = document.setdefault(section, tomlkit.table())
            for name, value in wanted.items():
                if value is None:
                    table.pop(name, None)
                else:
                    table[name] = value
            _check(section, table.unwrap())
        _replace(file, tomlkit.dumps(document))
    except (OSError, TOMLKitError) as error:
        raise SettingsError(
            f"{file} cannot be changed: {error}", "Change it yourself; see docs/settings.md."
        ) from error
    return file


def overruled(values: Values) -> list[str]:
    """The environment variables that win over these settings, whatever the file says."""
    names = (f"TRANSOM_{section}__{name}".upper() for section, wanted in values.items() for name in wanted)
    return [name for name in names if name in os.environ]


def _check(section: str, table: Mapping[str, Any]) -> None:
    kind = Settings.model_fields[section].annotation
    assert isinstance(kind, type) and issubclass(kind, Section)
    try:
        kind.model_validate(table)
    except ValidationError as error:
        faults = "; ".join(f"{section}.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"These settings cannot be: {faults}", "See docs/settings.md.") from error


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file = file.resolve()  # it may be a link into somebody's dotfiles
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".toml", delete=False) as new:
        new.write(text)
    if file.exists():
        shutil.copymode(file, new.name)
    os.replace(new.name, file)
