"""Does ingest stay flat as the folder grows? `python -m benchmarks.many_files [--sizes 2000 20000] [--json]`

Generates folders of small text files, each different, and ingests each with the command line, in an empty home:
from nothing, and again unchanged. The last line is JSON with, for each size, the seconds of both runs and the peak
memory of the ingesting process and of its largest reader (resident, in MB)X
peak to the smallest's.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_WORDS = ("lamp", "fog", "tide", "keeper", "boat", "signal", "storm", "oil", "glass", "tower", "wind", "relief")
_FILES_PER_FOLDER = 500


def generate(folder: Path, count: int) -> None:
    """Writes `count` files of about 60 words."""
    dice = random.Random(count)
    for number in range(count):
        place = folder / f"{number // _FILES_PER_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        words = " ".join(dice.choices(_WORDS, k=60))
        (place / f"note{number:06}.txt").write_text(f"Note {number} of the station. {words}.\n")


_COMMAND = """
import resource, sys
from app.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""


def ingest(folder: Path, home: Path) -> tuple[float, float, dict[str, object]]:
    """Seconds, peak MB of the process, and the finished event."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, "ingest", str(folder), "--json"],
        env=os.environ | {"TRANSOM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - started
    return seconds, float(done.stderr.splitlines()[-1]), json.loads(done.stdout.splitlines()[-1])


def measure(count: int) -> dict[str, object]:
    """One size: from nothing, and again."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(scratch, "notes"), Path(scratch, "home")
        generate(folder, count)
        first, peak, finished = ingest(folder, home)
        again, *_, unchanged = ingest(folder, home)
    assert finished["indexed"] == unchanged["unchanged"] == count
    return {
        "files": count,
        "seconds": round(first, 1),
        "peak_mb": round(peak),
        "again_seconds": round(again, 2),
    }


def main() -> None:
    """Runs every size, smallest first."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[2_000, 20_000])
    options.add_argument("--json", action="store_true", help="only the last line")
    arguments = options.parse_args()
    rows = []
    for count in sorted(arguments.sizes):
        rows.append(measure(count))
        if not arguments.json:
            print("  ".join(f"{name} {value}" for name, value in rows[-1].items()))
    ratio = float(str(rows[-1]["peak_mb"])) / float(str(rows[0]["peak_mb"]))
    print(json.dumps({"sizes": rows, "memory_ratio": round(ratio, 3)}))


if __name__ == "__main__":
    main()
