"""Small files of JSON that are whole or not there, whenever the process is killed."""

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; an empty one where there is none, or nothing that can be read."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Puts an object in place of what the file holds; raises :class:`OSError` where that cannot be."""
    with NamedTemporaryFile("w", dir=file.parent, prefix=f"{file.stem}-", suffix=".new", delete=False) as new:
        new.write(json.dumps(value, indent=1))
    os.replace(new.name, file)
