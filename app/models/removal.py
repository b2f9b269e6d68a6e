"""Removes a model's file, and what has arrived of it in unfinished tries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import ModelError
from app.models.files import pieces_of
from app.models.resolve import answers, locate


@dataclass(frozen=True, slots=True)
class Removal:
    """What would go."""

    name: str
    files: Sequence[Path]
    size: int
    """Bytes that become free."""
    in_use: bool
    """Whether this model answers at present."""

    def carry_out(self) -> None:
        """Deletes the files. Raises :class:`ModelError` where one cannot be deleted."""
        for file in self.files:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise ModelError(f"{file} cannot be removed: {error.strerror}.") from error


def find_removal(named: str, chosen: str, models_folder: Path) -> Removal:
    """What removing a model would do; `chosen` is what the settings name.

    Raises :class:`ModelError` where it is not in the models folder: files elsewhere are not Transom's to remove.
    """
    target = locate(named, models_folder)
    if target.parent.resolve() != models_folder.resolve():
        raise ModelError(f"{target} is not in Transom's models folder {models_folder}.", "Delete the file yourself.")
    files = pieces_of(target)
    if not files:
        raise ModelError(f"{target.name} is not here.", "`transom models list` says which models are.")
    return Removal(
        target.name, files, sum(file.lstat().st_size for file in files), answers(target, chosen, models_folder)
    )
