from collections.abc import Sequence

import pandas as pd

from hanzi_core.evaluation.forms import forms_as_one
from hanzi_core.evaluation.metrics import summarise
from hanzi_core.strokes.simplified import simplified


def predictions(*rows: tuple[str, Sequence[str], int]) -> pd.DataFrame:
    """Of label, candidates and rank each; probabilities take no part."""
    table: dict[str, list[object]] = {"label": [row[0] for row in rows], "rank": [row[2] for row in rows]}
    for place in range(5):
        table[f"predicted_{place + 1}"] = [row[1][place] if place < len(row[1]) else "" for row in rows]
    return pd.DataFrame(table)


def test_simplified_forms() -> None:
    assert [simplified(character) for character in ("國", "國家", "国", "後", "人", "")] == [
        "国",
        "國家",
        "国",
        "后",
        "人",
        "",
    ]


def test_an_answer_of_another_form_is_right() -> None:
    found = forms_as_one(predictions(("国", "國因", 7), ("国", "因國国", 3), ("人", "入八", 0), ("人", "入人", 2)))
    assert list(found["rank"]) == [1, 2, 0, 2]
    assert list(found["label"]) == ["国", "国", "人", "人"]
    assert list(found["predicted_1"]) == ["国", "因", "入", "入"]
    assert summarise(found)["top_1"] == 1 / 4


def test_all_forms_are_called_as_most_pictures_are_labelled() -> None:
    found = forms_as_one(predictions(("國", "国", 0), ("國", "國", 1), ("国", "國", 2), ("因", "個", 2)))
    assert list(found["label"]) == ["國", "國", "國", "因"]
    assert list(found["predicted_1"]) == ["國", "國", "國", "个"]
    assert list(found["rank"]) == [1, 1, 1, 2]


def test_a_class_that_is_no_character_is_left_alone() -> None:
    found = forms_as_one(predictions(("zhang 張", ["zhang 張", "張"], 1), ("张", ["zhang 張"], 0)))
    assert list(found["label"]) == ["zhang 張", "张"] and list(found["rank"]) == [1, 0]
    assert list(found["predicted_1"]) == ["zhang 張"] * 2 and list(found["predicted_2"]) == ["张", ""]
