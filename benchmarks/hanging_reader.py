"""A reader that hangs on one file; worker processes import it by its name."""

import time
from pathlib import Path

from ingest.readers import Extracted
from ingest.readers import read as read_well

HANGS = "hangs.pdf"


def read(path: Path, ocr: bool = False) -> Extracted:
    """Reads as ever, but for ever a file of that name."""
    if path.name == HANGS:
        time.sleep(1e6)
    return read_well(path, ocr)
