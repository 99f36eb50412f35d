import numpy as np
import pandas as pd
import pytest

from hanzi_core.dataset.statistics import all_class_counts, class_counts, imbalance, mean_picture


def test_counts_leave_out_what_cannot_be_used() -> None:
    manifest = pd.DataFrame(
        {
            "label": ["木", "人", "人", "人", "日", "notes", "", "口"],
            "fault": ["", "", "", "blank", "", "unreadable", "no_label", "empty_folder"],
            "excluded": [False, False, False, False, True, False, False, False],
        }
    )
    assert class_counts(manifest).to_dict() == {"人": 2, "木": 1}
    assert list(all_class_counts(manifest).items()) == [("人", 2), ("木", 1), ("口", 0), ("日", 0)]


@pytest.mark.parametrize(
    ("sizes", "ratio", "gini"), [([5, 5, 5], 1, 0), ([1, 3], 3, 0.25), ([1, 1, 1, 97], 97, 0.72), ([], 1, 0)]
)
def test_imbalance(sizes: list[int], ratio: float, gini: float) -> None:
    found = imbalance(pd.Series(sizes, dtype=float))
    assert (found.ratio, found.gini) == (ratio, pytest.approx(gini))


def test_mean() -> None:
    pictures = np.array([[[0, 255]], [[255, 255]]], np.uint8)
    assert mean_picture(pictures).tolist() == [[128, 255]]
