from app.evidence import Evidence, confidence, evidence
from tests.builders import passage

FEE = passage("The fee for climbing the tower is ten euros. Children pay nothing.", dense=0.7)
SHOP = passage("The shop sells towels.", dense=0.4, uri="shop.md")


def test_evidence_is_the_nearest_passage_and_the_words_that_stand_together() -> None:
    found = evidence("What is the fee for climbing the tower?", [SHOP, FEE])
    assert found == Evidence(similarity=0.7, together=1.0, together_nearest=1.0)


def test_words_in_another_passage_than_the_nearest_count_less() -> None:
    near = passage("The shop sells towels.", dense=0.7, uri="shop.md")
    apart = evidence("What is the fee for climbing the tower?", [near, passage(FEE.chunk.text, dense=0.4)])
    agreeing = evidence("What is the fee for climbing the tower?", [SHOP, FEE])
    assert (apart.together, apart.together_nearest) == (1.0, 0.0)
    assert confidence(apart) < confidence(agreeing)


def test_without_passages_there_is_no_confidence() -> None:
    assert confidence(evidence("What is the fee?", [])) < 0.01


def test_one_document_is_evidence_enough() -> None:
    assert confidence(evidence("What is the fee for climbing the tower?", [FEE])) > 0.5


def test_what_has_nothing_to_do_with_the_question_is_none() -> None:
    assert confidence(evidence("Who wrote Crime and Punishment?", [passage(FEE.chunk.text, dense=0.05)])) < 0.1


def test_writing_without_spaces_is_weighed_like_any_other() -> None:
    found = evidence("灯台の高さ", [passage("この灯台の高さは四十七メートルです。", dense=0.6)])
    assert found.together == 1.0


def test_a_question_of_stop_words_alone_is_survived() -> None:
    assert evidence("What is it?", [FEE]).together == 0.0
