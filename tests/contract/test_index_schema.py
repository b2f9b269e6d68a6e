"""A chunk survives being a payload, and a path prefix is a folder, not letters."""

import json
import string

from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import Chunk
from ingest.index import Where
from ingest.index.schema import batches, to_chunk, to_payload

names = st.text(st.sampled_from(string.ascii_letters + " .-é數"), min_size=1, max_size=6)
uris = st.lists(names, min_size=1, max_size=4).map("/".join)
chunks = st.builds(
    Chunk,
    id=st.uuids(version=5).map(str),
    uri=uris,
    headings=st.lists(st.text()).map(tuple),
    pages=st.lists(st.integers(1)).map(tuple),
    span=st.tuples(st.integers(0), st.integers(0)),
)


@given(chunks)
def test_a_chunk_survives_being_a_payload(chunk: Chunk) -> None:
    payload = json.loads(json.dumps(to_payload(chunk)))
    assert to_chunk(chunk.id, payload) == chunk


@given(chunks, uris)
def test_a_prefix_matches_whole_folders(chunk: Chunk, prefix: str) -> None:
    ((field, values),) = Where(path_prefix=prefix).conditions()
    found = bool(set(values) & set(to_payload(chunk)[field]))
    assert found == (chunk.uri + "/").startswith(prefix + "/")


@given(st.lists(st.integers(), max_size=600))
def test_batches_are_the_items_in_order(items: list[int]) -> None:
    cut = list(batches(items))
    assert [item for batch in cut for item in batch] == items
    assert all(len(batch) == 256 for batch in cut[:-1])
