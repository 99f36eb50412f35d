import pandas as pd

from hanzi_core.charts.distribution import class_histogram, value_histogram


def test_a_class_is_pointed_at() -> None:
    figure = class_histogram(pd.Series({"小": 2, "大": 9, "中": 5}), marked="中")
    assert [shape.x0 for shape in figure.layout.shapes] == [2]
    assert figure.layout.annotations[0].text == "中 · 5"
    assert not class_histogram(pd.Series({"小": 2}), marked="无").layout.shapes


def test_values_are_binned_before_they_are_sent() -> None:
    bars = value_histogram(pd.Series(range(100_000)), "px", bins=20).data[0]
    assert len(bars.y) == 20
    assert sum(bars.y) == 100_000


def test_one_value_alone() -> None:
    assert sum(value_histogram(pd.Series([64, 64]), "px").data[0].y) == 2
