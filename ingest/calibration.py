"""Finds the fastest way to run an embedder on the machine at hand, by a short measurement, once.

What is fast depends on the processor: bfloat16 is three times faster where there are instructions for it, and ten
times slower where there are none. So nothing is guessed. A way counts only if its vectors are those of float32 as
far as a search can tell, and if it is clearly faster.
"""

import os
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ingest.encoder import Backend, Encoder, Vectors
from ingest.errors import TransomError

MIN_AGREEMENT = 0.999
"""Least cosine between a text's vector and its float32 one, over all probes.

Passages that are neighbours in a result usually differ by more than such a change can turn around: bfloat16 stays
above 0.9999, and eight-bit weights, which do change results, fall below 0.99.
"""
MIN_GAIN = 1.1
"""How many times as fast as float32 another way must be, so that noise decides nothing."""
PROBES = 8
"""Texts that are embedded each way."""
_ROUNDS = 3
_HOPELESS = 2.0
"""A way that takes this many times as long for its first texts is measured no further."""


class Speed(BaseModel):
    """How one way did."""

    model_config = ConfigDict(frozen=True)

    texts_per_second: float
    """On one core, or on the GPU."""
    agreement: float
    """Least cosine with float32."""


class Calibration(BaseModel):
    """What was measured, and what follows."""

    model_config = ConfigDict(frozen=True)

    backend: Backend
    speeds: dict[Backend, Speed]
    """Of each way that was measured; one that this machine cannot do, or is hopeless at, is missing."""
    seconds: float
    """What the measurement took."""


_RECORDS = TypeAdapter(dict[str, Calibration])


class Records:
    """The measurements of this home, by model, machine and versions: `embedder.json` in TRANSOM_HOME.

    A damaged file counts as empty, since all it costs is to measure again.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "embedder.json"

    def get(self, key: str) -> Calibration | None:
        """What was measured before."""
        return self._all().get(key)

    def put(self, key: str, calibration: Calibration) -> None:
        """Keeps a measurement; raises :class:`TransomError` where the home cannot be written."""
        scratch = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(_RECORDS.dump_json(self._all() | {key: calibration}, indent=2))
            os.replace(scratch, self._path)
        except OSError as error:
            raise TransomError(
                f"{self._path} cannot be written: {error.strerror or error}",
                "Check that its folder can be written and its disk is not full.",
            ) from error

    def _all(self) -> dict[str, Calibration]:
        with suppress(FileNotFoundError, ValidationError):
            return _RECORDS.validate_json(self._path.read_bytes())
        return {}


def machine_key(model: str, encoder: Encoder) -> str:
    """What a measurement holds for."""
    libraries = [f"{name} {version(name)}" for name in ("torch", "sentence-transformers")]
    return " | ".join([model, _processor(), encoder.device, f"{encoder.cores} cores", *libraries])


def calibrate(encoder: Encoder, texts: Sequence[str], prompt: str = "") -> Calibration:
    """Measures each way on some of `texts`, in turn so that each has the same luck with a busy machine.

    Takes a few seconds at most.
    """
    started = time.perf_counter()
    probes = _probes(texts)
    candidates = _promising(encoder, probes[:2], prompt)
    best = dict.fromkeys(candidates, float("inf"))
    vectors: dict[Backend, Vectors] = {}
    for _ in range(_ROUNDS):
        for backend in candidates:
            seconds, vectors[backend] = _timed(encoder, probes, prompt, backend)
            best[backend] = min(best[backend], seconds)
    speeds = {
        backend: Speed(
            texts_per_second=round(len(probes) / best[backend], 2),
            agreement=round(_agreement(vectors[backend], vectors["fp32"]), 6),
        )
        for backend in candidates
    }
    return Calibration(backend=choose(speeds), speeds=speeds, seconds=round(time.perf_counter() - started, 2))


def choose(speeds: dict[Backend, Speed]) -> Backend:
    """The fastest of those that agree with float32; float32 itself unless another is clearly faster."""
    floor = speeds["fp32"].texts_per_second * MIN_GAIN
    fit = {
        backend: speed.texts_per_second
        for backend, speed in speeds.items()
        if speed.agreement >= MIN_AGREEMENT and speed.texts_per_second >= floor
    }
    return max(fit, key=fit.__getitem__, default="fp32")


def _promising(encoder: Encoder, texts: Sequence[str], prompt: str) -> list[Backend]:
    """The ways that this machine can do, warmed up; float32 first."""
    _timed(encoder, texts, prompt, "fp32")
    limit = _timed(encoder, texts, prompt, "fp32")[0] * _HOPELESS
    promising: list[Backend] = ["fp32"]
    others: tuple[Backend, ...] = ("onednn", "bf16") if encoder.device == "cpu" else ("bf16",)
    for backend in others:
        with suppress(RuntimeError, NotImplementedError):  # how torch says that a device lacks an operation
            first = _timed(encoder, texts, prompt, backend)[0]
            if min(first, _timed(encoder, texts, prompt, backend)[0]) <= limit:
                promising.append(backend)
    return promising


def _timed(encoder: Encoder, texts: Sequence[str], prompt: str, backend: Backend) -> tuple[float, Vectors]:
    """On a processor the time that this thread computed, so that a busy machine does not matter."""
    clock = time.thread_time if encoder.device == "cpu" else time.perf_counter
    started = clock()
    vectors = encoder.compute(texts, prompt, backend)
    return max(clock() - started, 1e-9), vectors


def _probes(texts: Sequence[str]) -> list[str]:
    """Typical texts: evenly spaced by length."""
    ordered = sorted(texts, key=len, reverse=True)
    return ordered[:: max(1, len(ordered) // PROBES)][:PROBES]


def _agreement(vectors: Vectors, exact: Vectors) -> float:
    """Least cosine; 0.0 where something is not a number."""
    return float(np.nan_to_num(np.sum(vectors * exact, axis=1)).min())


def _processor() -> str:
    """The processor's own name and, on Linux, a sign of its instruction sets: a virtual machine may hide some."""
    with suppress(OSError):
        lines = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines())
        fields = {name.strip(): value.strip() for name, value in lines.items()}
        fast = [flag for flag in fields.get("flags", "").split() if flag.startswith(("avx", "amx"))]
        return f"{fields.get('model name', platform.machine())} ({' '.join(sorted(fast)) or platform.machine()})"
    return platform.processor() or platform.machine()
