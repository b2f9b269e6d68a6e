"""Files of the architecture `gemma4` that would end the process: llama.cpp asserts what it does not check."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ModelError
from app.models.files import check_language_model
from tests.gemma4 import DENSE, SHARED, Shape, write


@pytest.mark.parametrize(
    "shape",
    [
        replace(SHARED, shared=4),  # the last layer with KV of its own is local
        replace(SHARED, shared=9),  # there is but one
        replace(DENSE, pattern=(False,) * 6),  # no layer is local
    ],
)
def test_what_would_end_the_process_is_refused(shape: Shape, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="damaged"):
        check_language_model(write(tmp_path / "model.gguf", shape))


@pytest.mark.parametrize("shape", [DENSE, SHARED, replace(SHARED, shared=0), replace(DENSE, window=1)])
def test_what_runs_is_not_refused(shape: Shape, tmp_path: Path) -> None:
    check_language_model(write(tmp_path / "model.gguf", shape))
