"""Which model is chosen: `[model] name` in transom.toml, the one place where settings live."""

from pathlib import Path

from app.models.resolve import ResolvedModel
from app.settings_file import write_settings

VARIABLE = "TRANSOM_MODEL__NAME"
"""The environment variable that wins over the file."""


def choose(name: str, home: Path) -> Path:
    """Writes the choice; gives the file. Raises as :func:`~app.settings_file.write_settings` does."""
    return write_settings(home, {"model": {"name": name}})


def lasting_name(resolved: ResolvedModel, named: str, models_folder: Path) -> str:
    """A name that means the same from any folder: the catalogue's, that in the models folder, or the whole path."""
    if resolved.path.parent.resolve() != models_folder.resolve():
        return str(resolved.path.absolute())
    if resolved.entry:
        return resolved.entry.name
    return named if ":" in named else resolved.path.name
