"""How fast models were on this machine, kept from run to run: so the first question can be planned too.

::

    TRANSOM_HOME/speeds.json    {hash of a window's key: {"prefill": ..., "decode": ...}}    tokens per second
"""

from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from app.jsonfile import read_json, write_json
from app.llm.engine import Speed


def load_speed(home: Path, key: str) -> Speed:
    """What was measured before with the model and context that `key` names; zeros if nothing was."""
    with suppress(KeyError, TypeError, ValueError):  # what is no speed is measured again
        kept = read_json(_file(home))[_short(key)]
        return Speed(float(kept["prefill"]), float(kept["decode"]))
    return Speed()


def keep_speed(home: Path, key: str, speed: Speed) -> None:
    """Keeps what was measured; where that cannot be written, it is measured again."""
    if speed.prefill or speed.decode:
        with suppress(OSError):
            write_json(_file(home), {**read_json(_file(home)), _short(key): asdict(speed)})


def _file(home: Path) -> Path:
    return home / "speeds.json"


def _short(key: str) -> str:
    return blake2b(key.encode(), digest_size=12).hexdigest()
