import pandas as pd
import pytest

from hanzi_core.dataset import Dataset
from hanzi_core.errors import DatasetError
from hanzi_core.evaluation.confusion import confused_pairs, confusion_matrix
from hanzi_core.evaluation.metrics import by_class, summarise
from hanzi_core.evaluation.predictions import read_predictions
from hanzi_core.jobs import list_jobs
from hanzi_core.workspace import Workspace


@pytest.fixture
def predictions() -> pd.DataFrame:
    """Six pictures: 人 right, right, taken for 入 twice; 入 right; 大 unknown to the model."""
    return pd.DataFrame(
        {
            "label": ["人", "人", "人", "人", "入", "大"],
            "predicted_1": ["人", "人", "入", "入", "入", "人"],
            "rank": [1, 1, 2, 7, 1, 0],
        }
    )


def test_summary(predictions: pd.DataFrame) -> None:
    figures = summarise(predictions)
    assert figures["images"] == 6 and figures["classes"] == 3
    assert figures["known"] == pytest.approx(5 / 6)
    assert figures["top_1"] == pytest.approx(3 / 6)
    assert figures["top_5"] == pytest.approx(4 / 6)
    assert figures["class_mean_top_1"] == pytest.approx((0.5 + 1 + 0) / 3)


def test_by_class(predictions: pd.DataFrame) -> None:
    table = by_class(predictions).set_index("label")
    assert table.loc["人", "recall"] == pytest.approx(0.5)
    assert table.loc["人", "precision"] == pytest.approx(2 / 3)
    assert pd.isna(table.loc["大", "precision"])
    assert list(table.index) == ["大", "人", "入"]


def test_pairs(predictions: pd.DataFrame) -> None:
    pairs = confused_pairs(predictions)
    assert list(pairs["label"]) == ["人", "大"]
    assert list(pairs["count"]) == [2, 1]
    assert list(pairs["share"]) == [0.5, 1.0]


def test_no_mistakes_no_pairs(predictions: pd.DataFrame) -> None:
    assert confused_pairs(predictions[predictions["rank"] == 1]).empty


def test_matrix_puts_confused_classes_side_by_side(predictions: pd.DataFrame) -> None:
    matrix = confusion_matrix(predictions)
    assert list(matrix.index) == ["人", "入", "大"] == list(matrix.columns)
    assert matrix.loc["人", "入"] == 2 and matrix.loc["入", "人"] == 0
    assert list(confusion_matrix(predictions, classes=2).index) == ["人", "入"]


def test_a_real_evaluation_is_consistent(trained: Workspace) -> None:
    job = list_jobs(trained, "evaluate")[0]
    table, result = read_predictions(job.folder), job.result()
    assert result == summarise(table)
    assert len(table) == (Dataset.find(trained, "ten").parts("default") == "test").sum() > 0
    assert ((table["rank"] == 1) == (table["label"] == table["predicted_1"])).all()
    assert (table["probability_1"] >= table["probability_2"]).all()


def test_missing_predictions_are_told(workspace: Workspace) -> None:
    with pytest.raises(DatasetError, match="evaluate again"):
        read_predictions(workspace.root)
