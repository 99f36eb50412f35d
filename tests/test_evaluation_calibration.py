import numpy as np
import pandas as pd
import pytest

from hanzi_core.charts.confidence import coverage_curve, reliability_diagram
from hanzi_core.evaluation.calibration import calibration_error, coverage, likely_range, reliability


def said(probabilities: list[float], right: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {"probability_1": np.array(probabilities, np.float32), "rank": [1 if each else 2 for each in right]}
    )


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [(1.0, 23, 0.857, 1.0), (0.0, 10, 0.0, 0.278), (0.5, 100, 0.404, 0.596), (0.9844, 831, 0.9735, 0.9908)],
)
def test_the_range_is_that_of_published_tables(share: float, count: int, low: float, high: float) -> None:
    assert likely_range(share, count) == pytest.approx((low, high), abs=6e-4)


def test_the_range_holds_the_truth_as_often_as_it_says() -> None:
    found = np.random.default_rng(0).binomial(60, 0.93, 4000)
    inside = [low <= 0.93 <= high for low, high in (likely_range(right / 60, 60) for right in found)]
    assert 0.93 < np.mean(inside) < 0.98


def test_a_model_that_is_as_sure_as_it_is_right_has_no_error() -> None:
    random = np.random.default_rng(0)
    sure = random.uniform(0.2, 1, 20_000)
    honest = said(list(sure), list(random.random(len(sure)) < sure))
    assert calibration_error(reliability(honest)) < 0.015
    boastful = honest.assign(probability_1=honest["probability_1"] ** 0.25)
    assert calibration_error(reliability(boastful)) > 0.15


def test_bins_are_told_with_what_is_in_them() -> None:
    table = reliability(said([0.95, 1.0, 0.05, 0.9], [True, False, False, True]))
    assert list(table["images"]) == [1, 3]
    assert list(table["right"]) == pytest.approx([0, 2 / 3])
    assert list(table["probability"]) == pytest.approx([0.05, 0.95])
    assert calibration_error(reliability(said([0.8, 0.8], [True, False]))) == pytest.approx(0.3)


def test_heeding_less_leaves_what_is_right() -> None:
    table = coverage(said([0.99, 0.6, 0.5, 0.2], [True, True, False, False])).set_index("least")
    assert table.loc[0.0].tolist() == [1.0, 0.5]
    assert table.loc[0.5].tolist() == pytest.approx([0.75, 2 / 3])
    assert table.loc[0.51].tolist() == [0.5, 1.0]
    assert coverage(said([0.3], [True])).iloc[-1]["share"] == 0
    assert np.isnan(coverage(said([0.3], [True])).iloc[-1]["right"])


def test_an_axis_of_shares_has_room_for_its_end() -> None:
    """Plotly leaves out a tick whose text would not fit on the page."""
    assert coverage_curve(coverage(said([0.99], [True]))).layout.margin.r >= 16


def test_the_charts_draw_what_the_tables_hold() -> None:
    predictions = said([0.99, 0.6, 0.5, 0.2], [True, True, False, False])
    points = reliability_diagram(reliability(predictions)).data[1]
    assert list(points.y) == list(reliability(predictions)["right"])
    assert min(points.marker.size) > 0
    assert points.cliponaxis is False, "the largest point is mostly in the corner, where half of it was cut off"
    right, share = coverage_curve(coverage(predictions)).data
    assert (share.y[0], right.y[0]) == (1.0, 0.5)
