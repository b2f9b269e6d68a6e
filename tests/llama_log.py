"""What llama.cpp logs: where it tells what it has allocated."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import llama_cpp


@contextmanager
def llama_log() -> Iterator[list[str]]:
    """What llama.cpp logs meanwhile; a list that grows."""
    lines: list[str] = []
    callback = llama_cpp.llama_log_callback(lambda _level, text, _data: lines.append(text.decode(errors="replace")))
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield lines
    finally:
        llama_cpp.llama_log_set(llama_cpp._logger.llama_log_callback, ctypes.c_void_p(0))
