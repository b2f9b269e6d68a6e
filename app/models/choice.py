"""Which model is chosen: `[model] name` in transom.toml, the one place where settings live."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

import tomlkit
from tomlkit.exceptions import TOMLKitError

from app.errors import ModelError
from app.models.resolve import ResolvedModel

VARIABLE = "TRANSOM_MODEL__NAME"
"""The environment variable that wins over the file."""


def choose(name: str, home: Path) -> Path:
    """Writes the choice, leaving all else in the file as it stands; gives the file.

    Raises :class:`ModelError` where the file cannot be read or written.
    """
    file = home / "transom.toml"
    try:
        document = tomlkit.parse(file.read_text("utf-8")) if file.exists() else tomlkit.document()
        document.setdefault("model", tomlkit.table())["name"] = name
        _replace(file, tomlkit.dumps(document))
    except (OSError, TOMLKitError) as error:
        raise ModelError(
            f"{file} cannot be changed: {error}", f"Set `name` in its [model] table to {name!r}."
        ) from error
    return file


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file = file.resolve()  # it may be a link into somebody's dotfiles
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".toml", delete=False) as new:
        new.write(text)
    if file.exists():
        shutil.copymode(file, new.name)
    os.replace(new.name, file)


def lasting_name(resolved: ResolvedModel, named: str, models_folder: Path) -> str:
    """A name that means the same from any folder: the catalogue's, that in the models folder, or the whole path."""
    if resolved.path.parent.resolve() != models_folder.resolve():
        return str(resolved.path.absolute())
    if resolved.entry:
        return resolved.entry.name
    return named if ":" in named else resolved.path.name
