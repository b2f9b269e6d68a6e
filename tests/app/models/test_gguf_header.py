import struct
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import ModelError
from app.models.header import QUANTS, Skipped, read_header
from tests.app.models.conftest import MakeGguf


def test_every_kind_of_value(tmp_path: Path) -> None:
    path = tmp_path / "all.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -5)
    writer.add_uint16("u16", 60_000)
    writer.add_int16("i16", -30_000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_uint64("u64", 2**63)
    writer.add_int64("i64", -(2**62))
    writer.add_float32("f32", 0.5)
    writer.add_float64("f64", 0.1)
    writer.add_bool("yes", True)
    writer.add_string("text", "Grüße")
    writer.add_array("pattern", [True, False, True])
    writer.add_array("many", list(range(5000)))
    writer.add_array("words", ["a", "", "ö"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert read_header(path).metadata == {
        "general.architecture": "llama", "u8": 200, "i8": -5, "u16": 60_000, "i16": -30_000,
        "u32": 4_000_000_000, "i32": -2_000_000_000, "u64": 2**63, "i64": -(2**62),
        "f32": 0.5, "f64": 0.1, "yes": True, "text": "Grüße",
        "pattern": (True, False, True), "many": Skipped(5000), "words": Skipped(3),
    }  # fmt: skip


@pytest.mark.parametrize("alignment", [32, 64])
def test_tensors_lie_where_gguf_says(tmp_path: Path, make_gguf: MakeGguf, alignment: int) -> None:
    path = make_gguf(tmp_path / "m.gguf", alignment=alignment)
    expected = [
        (tensor.name, tensor.data_offset, tensor.data_offset + tensor.n_bytes)
        for tensor in gguf.GGUFReader(path).tensors
    ]
    assert [(tensor.name, tensor.start, tensor.end) for tensor in read_header(path).tensors] == expected


def test_the_sizes_of_types_are_those_of_ggml() -> None:
    assert {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()} == QUANTS


def test_a_missing_an_empty_and_a_foreign_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no file") as missing:
        read_header(tmp_path / "none.gguf")
    assert missing.value.hint
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(ModelError, match="is empty"):
        read_header(tmp_path / "empty.gguf")
    (tmp_path / "page.gguf").write_text("<html>Please log in</html>")
    with pytest.raises(ModelError, match="not a GGUF"):
        read_header(tmp_path / "page.gguf")
    with pytest.raises(ModelError, match="cannot be read"):
        read_header(tmp_path)


def test_a_header_cut_anywhere_is_damaged(tmp_path: Path, make_gguf: MakeGguf) -> None:
    whole = make_gguf(tmp_path / "m.gguf").read_bytes()
    ends = max(len(whole) - 1200, 0)
    for length in range(1, ends):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_header(tmp_path / "cut.gguf")


def test_space_that_was_reserved_and_never_written(tmp_path: Path, make_gguf: MakeGguf) -> None:
    content = bytearray(make_gguf(tmp_path / "m.gguf").read_bytes())
    content[60:] = bytes(100_000)
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        read_header(tmp_path / "m.gguf")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(counts=st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), rest=st.binary(max_size=400))
def test_garbage_is_told_in_words(tmp_path: Path, counts: tuple[int, int], rest: bytes) -> None:
    path = tmp_path / "garbage.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + rest)
    if counts == (0, 0):
        assert read_header(path).tensors == ()
        return
    with pytest.raises(ModelError, match="damaged"):
        read_header(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_wrong_byte_never_breaks_the_reader(tmp_path: Path, make_gguf: MakeGguf, data: st.DataObject) -> None:
    content = bytearray(make_gguf(tmp_path / "m.gguf").read_bytes())
    content[data.draw(st.integers(0, 400))] ^= data.draw(st.integers(1, 255))
    (tmp_path / "wrong.gguf").write_bytes(content)
    try:
        header = read_header(tmp_path / "wrong.gguf")
    except ModelError as error:
        assert error.message
    else:
        assert all(tensor.end >= tensor.start for tensor in header.tensors)
