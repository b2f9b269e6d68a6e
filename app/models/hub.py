"""Fetches one file from the model hub, going on where an earlier try stopped."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from app.errors import ModelError
from app.models.catalogue import HubFile
from app.models.files import arriving

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata
    from huggingface_hub.errors import HfHubHTTPError

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes there will be."""

TIMEOUT = 10.0
"""Seconds to wait for the hub's first word; it is asked twice."""

CONNECT_TIMEOUT = 5.0
"""Seconds for each of the hub's addresses, of which there are several: a firewall may swallow every packet."""

OFFLINE = "HF_HUB_OFFLINE"
"""The environment variable that keeps libraries from asking the hub."""

_GO_ON = "The same command goes on where it stopped."


_quiet = False
"""Whether this process asks the hub for nothing but downloads."""


def keep_quiet() -> None:
    """From now on nothing in this process asks the hub by itself; :func:`download` does all the same.

    To be called before `huggingface_hub` is imported. What the person has set in the environment stands.
    """
    global _quiet  # noqa: PLW0603 - the library keeps this in a module of its own
    if OFFLINE not in os.environ:
        os.environ[OFFLINE] = "1"
        _quiet = True


class HubUnreachableError(ModelError):
    """The hub does not answer; nothing is known to be wrong with the request."""


def download(source: HubFile, target: Path, progress: Progress, endpoint: str | None = None) -> None:
    """Fetches the file to `target`, whole and checked, or not at all; `endpoint` is the hub's address.

    Raises :class:`HubUnreachableError` where the hub does not answer, and :class:`ModelError` where it has no
    such file, wants a login, breaks off, sends wrong bytes, or where there is no room.
    """
    with _speaking():
        found = _look_up(source, endpoint)
        digest = _expected_sha256(source, found.etag)
        if found.size is None:
            raise ModelError(f"The hub does not say how large {source.file} is.", "Try again later.")
        with arriving(target, digest, found.size) as part:
            _transfer(_url(source, endpoint, found.commit_hash), part, found.size, progress)


@contextmanager
def _speaking() -> Iterator[None]:
    """Lifts what :func:`keep_quiet` does."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before and not _quiet
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _look_up(source: HubFile, endpoint: str | None) -> "HfFileMetadata":
    """What the hub says of the file: its size, its sha256 and the commit it belongs to."""
    from httpx2 import HTTPError, InvalidURL
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        found = _ask_twice(source, endpoint)
    except HfHubHTTPError as error:
        _refused(source, error, endpoint)
    except HFValidationError as error:
        raise ModelError(f"{source.repo} cannot be the name of a repository on the hub.") from error
    except OfflineModeIsEnabled as error:
        raise HubUnreachableError("The model hub is not asked: HF_HUB_OFFLINE is set.", "Unset it.") from error
    except (HTTPError, InvalidURL) as error:
        raise HubUnreachableError(f"The model hub cannot be reached ({error}).", _CONNECT) from error
    if found.commit_hash is None:
        raise HubUnreachableError("Something other than the model hub answers in its place.", _CONNECT)
    return found


_CONNECT = "Check the connection (or HF_ENDPOINT, if it is set) and try again."


def _ask_twice(source: HubFile, endpoint: str | None) -> "HfFileMetadata":
    from httpx2 import ConnectTimeout, Timeout, TransportError
    from huggingface_hub import constants, get_hf_file_metadata

    # Read at every request, and it may have been imported before anyone could set the variable of that name.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    patience: Any = Timeout(TIMEOUT, connect=CONNECT_TIMEOUT)  # declared a float, but handed on to httpx as it is
    ask = partial(get_hf_file_metadata, _url(source, endpoint), timeout=patience, endpoint=endpoint)
    try:
        return ask()
    except ConnectTimeout:
        raise  # every address had its time
    except TransportError:
        return ask()


def _url(source: HubFile, endpoint: str | None, commit: str | None = None) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(source.repo, source.file, revision=commit, endpoint=endpoint)


def _refused(source: HubFile, error: "HfHubHTTPError", endpoint: str | None) -> NoReturn:
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

    status, spoken = error.response.status_code, "x-error-code" in error.response.headers
    if isinstance(error, GatedRepoError):
        message = f"{source.repo} is gated."
        raise ModelError(message, "Accept its terms on the hub, then log in with `hf auth login`.") from error
    if isinstance(error, EntryNotFoundError):
        raise ModelError(f"{source.repo} has no file {source.file}.", _what_there_is(source, endpoint)) from error
    if isinstance(error, RepositoryNotFoundError) and spoken:
        message = f"The hub has no repository {source.repo}, or it is private."
        raise ModelError(message, "Check its name, or log in with `hf auth login`.") from error
    if spoken or status in (404, 429):
        raise ModelError(f"The hub refuses {source.file} (status {status}).", "Try again later.") from error
    # Down, or a proxy or firewall answers for it: the hub itself says why it refuses.
    raise HubUnreachableError(f"The model hub cannot be reached (status {status}).", _CONNECT) from error


def _what_there_is(source: HubFile, endpoint: str | None) -> str:
    from httpx2 import HTTPError
    from huggingface_hub import HfApi

    try:
        listed = HfApi(endpoint=endpoint).list_repo_files(source.repo)
    except HTTPError:
        return "Look on the hub which files it has."
    names = ", ".join(name for name in listed if name.endswith(".gguf"))
    return f"`transom models pull {source.repo}:FILE` fetches one of its GGUF files: {names or 'none'}."


def _expected_sha256(source: HubFile, etag: str | None) -> str:
    offered = etag or ""
    if len(offered) != 64:  # large files have their sha256 for an ETag, small ones a git hash
        raise ModelError(f"The hub gives no sha256 for {source.file}, so it could not be checked.")
    if source.sha256 not in (None, offered):
        raise ModelError(f"The hub's {source.file} is not the one Transom knows: its sha256 is {offered}.")
    return offered


def _transfer(url: str, part: Path, size: int, progress: Progress) -> None:
    # `hf_hub_download` throws away what has arrived when it is stopped. `http_get`, which it stands on, goes
    # on from a given byte, and by itself when the connection breaks; Xet files come so as well.
    from httpx2 import HTTPError
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    with part.open("ab") as file:
        have = file.tell()
        progress(have, size)
        try:
            http_get(
                url,
                file,
                resume_size=have,
                headers=build_hf_headers(),
                expected_size=size,
                tqdm_class=partial(_Bar, progress),  # type: ignore[arg-type]
            )
        except (HTTPError, ValueError) as error:
            raise ModelError(f"The connection to the hub broke: {error}", _GO_ON) from error
        except OSError as error:
            if error.errno:
                raise  # the disk's, not the hub's
            file.truncate(min(file.tell(), size))
            raise ModelError(f"The hub did not send the {size:,} bytes it promised.", _GO_ON) from error


class _Bar:
    """What `http_get` wants of a progress bar."""

    def __init__(self, progress: Progress, *, initial: int, total: int, **_look: object) -> None:
        self._progress, self._done, self._total = progress, initial, total

    def update(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None
