"""A cross-encoder over the first candidates: a tiny one made here, and one that knows what it wants."""

from pathlib import Path

import numpy as np
import pytest
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from app.errors import ModelError
from app.llm.engine import Engine
from app.reranking import Reranker, reranker
from app.retriever import Retriever
from app.settings import RetrievalSettings, Settings
from ingest.index import Where
from ingest.library import Library
from tests.builders import passage
from tests.fakes import ScriptedRuntime

WORDS = "is the a taxi paid train in evening after ten who pays what".split()  # noqa: SIM905
TEXTS = ("The train in the evening.", "A taxi is paid after ten.", "Who pays?")


def write(folder: Path, scores: int = 1) -> Path:
    """A cross-encoder of random weights, as sentence-transformers loads one."""
    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *WORDS]))
    BertTokenizer(vocab=str(vocabulary)).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS) + 7,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    config.num_labels = scores
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


class Preferring(Reranker):
    """Likes passages with a word; the model's part alone is replaced."""

    def __init__(self, word: str, candidates: int = 20) -> None:
        super().__init__("none", candidates)
        self.read: list[int] = []
        read = self.read

        class Model:
            def predict(
                self, pairs: list[tuple[str, str]], **_: object
            ) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
                read.append(len(pairs))
                return np.array([float(word in text) for _, text in pairs], dtype=np.float32)

        self.__dict__["_model"] = Model()


def test_a_cross_encoder_from_a_folder_scores_every_passage(tmp_path: Path) -> None:
    model = Reranker(str(write(tmp_path / "tiny")), 20, "cpu")
    ranked = model.rerank("Who pays the taxi?", [passage(text) for text in TEXTS])
    assert sorted(each.chunk.text for each in ranked) == sorted(TEXTS)
    assert [each.rank for each in ranked] == [0, 1, 2]
    assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)
    assert ranked[0].score != ranked[1].score
    alone = model.rerank("Who pays the taxi?", [passage(ranked[1].chunk.text)])
    assert alone[0].score == pytest.approx(ranked[1].score, abs=1e-5)
    assert model.rerank("Who pays?", []) == []


def test_equals_keep_their_order() -> None:
    ranked = Preferring("taxi").rerank("?", [passage(text) for text in TEXTS])
    assert [each.chunk.text for each in ranked] == [TEXTS[1], TEXTS[0], TEXTS[2]]


@pytest.mark.parametrize("name", ["no/such-model", "/no/such/folder"])
def test_one_that_is_not_there_is_told_and_not_fetched(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as failure:
        Reranker(name, 20).rerank("?", [passage("text")])
    assert "hf download" in failure.value.hint and "retrieval.rerank" in failure.value.hint


def test_one_that_classifies_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not rerank"):
        Reranker(str(write(tmp_path / "classifier", scores=3)), 20, "cpu").rerank(
            "?", [passage(text) for text in TEXTS]
        )


def test_it_is_off_unless_the_settings_name_one() -> None:
    engine = Engine(ScriptedRuntime())
    assert reranker(Settings.load(), engine) is None
    wanted = reranker(Settings.load(retrieval=RetrievalSettings(rerank="folder", candidates=7)), engine)
    assert wanted is not None and wanted.candidates == 7


def test_the_search_gives_the_best_of_the_candidates(library: Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(8):
        (files / f"{number}.md").write_text(f"A taxi is paid after {number} in the evening.")
    (files / "far.md").write_text("Porridge is what the keeper eats.")
    list(library.ingest([files]))
    model = Preferring("Porridge", candidates=9)
    found = Retriever(library, model).search("When is a taxi paid?", 2, Where("documents"))
    assert found[0].chunk.uri == "far.md"
    assert (len(found), model.read) == (2, [9])
    few = Preferring("Porridge", candidates=3)
    assert "far.md" not in {p.chunk.uri for p in Retriever(library, few).search("When is a taxi paid?", 2, Where())}
    assert few.read == [3]
