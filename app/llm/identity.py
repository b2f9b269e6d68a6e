"""What a KV state depends on, as text: a state is only ever read back where this is the same as where it was made."""

import json
from hashlib import blake2b
from pathlib import Path

import llama_cpp

from app.llm.runtime import Context

_BLOCKS = 64
"""Places of a file that are looked at; a tuned model differs from its base in every tensor."""
_BLOCK = 1 << 14
"""Bytes read at each of them."""
_HEAD = 1 << 20
"""Bytes read from the start, where a GGUF describes itself."""


def window_key(path: Path, context: Context) -> str:
    """The key of all windows that this model makes in this context: short JSON, the same in another process.

    `context` is the one that was taken in the end. Where the layers are computed is left out, since a state can
    move between them. Raises :class:`OSError` where a file cannot be read.
    """
    depends = {
        "model": _file(path),
        "adapters": [[_file(adapter.path), adapter.scale] for adapter in context.adapters],
        "window": context.window,  # some models turn positions otherwise in a long window
        "kv_type": context.kv_type,
        "swa_full": context.swa_full,
        "flash_attention": context.flash_attention,
        "library": llama_cpp.__version__,
    }
    return json.dumps(depends, sort_keys=True)


def _file(path: Path) -> str:
    """Size, time of the last change, and a hash of samples: gigabytes need not be read for it."""
    status = path.stat()
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(_HEAD))
        for block in range(1, _BLOCKS + 1):
            file.seek(max(0, status.st_size * block // _BLOCKS - _BLOCK))
            digest.update(file.read(_BLOCK))
    return f"{status.st_size}-{status.st_mtime_ns}-{digest.hexdigest()}"
