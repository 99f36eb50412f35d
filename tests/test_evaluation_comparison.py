import pandas as pd
import pytest

from hanzi_core.evaluation.comparison import Comparison, compare, side_by_side


def predictions(ranks: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {"path": list(ranks), "label": "人", "rank": list(ranks.values()), "predicted_1": "入", "probability_1": 0.5}
    )


def test_only_pictures_that_both_saw_are_counted() -> None:
    first = predictions({"a": 1, "b": 1, "c": 2, "d": 3, "e": 1})
    second = predictions({"z": 1, "d": 2, "c": 1, "b": 4, "a": 1})
    pairs = side_by_side(first, second)
    found = compare(pairs)
    assert (found.both, found.first_alone, found.second_alone, found.neither) == (1, 1, 1, 1)
    assert (found.images, found.difference) == (4, 0)
    assert list(pairs.loc[pairs["path"] == "b", "other_rank"]) == [4]


@pytest.mark.parametrize(
    ("first", "second", "chance"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 9, 0.021484375), (6, 0, 0.03125), (0, 6, 0.03125), (59, 86, 0.0303)],
)
def test_mcnemar_s_exact_test(first: int, second: int, chance: float) -> None:
    assert Comparison(100, first, second, 3).chance == pytest.approx(chance, abs=5e-4)


def test_thousands_of_pictures_are_no_trouble() -> None:
    assert Comparison(0, 50_000, 49_000, 0).chance == pytest.approx(0.0015, abs=2e-4)
